/** The people and groups of a session. */
import { z } from "zod";
import { contactSchema } from "../../contract/resources.ts";
import { presentContact, viewOf } from "../../core/present.ts";
import { chatOf, numberingOf } from "../addresses.ts";
import { download, listOf, ok } from "../answer.ts";
import { flag, moment, paging } from "../paging.ts";
import { positionOf } from "../position.ts";
import { sessionRoute, type Route } from "../route.ts";
import { followedListOfSchema } from "./list-of.ts";
import { inContact, inSession } from "./params.ts";

const contactsOf = (path: string) =>
  sessionRoute({
    method: "get",
    path,
    summary: "Contacts by name",
    scope: "read",
    contract: true,
    params: inSession,
    query: z.object({
      ...paging(),
      contactId: inContact.shape.contactId.optional(),
      search: z.string().max(200).optional(),
      updatedAfter: moment,
      isGroup: flag,
    }),
    response: followedListOfSchema("contacts", contactSchema),
    handle: async ({ session, caller, query }, ctx) => {
      const { sessionId } = session;
      const written = query.contactId;
      const contactId = written && (await chatOf({ session, caller }, written, ctx, "contactId"));
      const position = await positionOf(ctx);
      const page = await ctx.store.inbox.contacts({ sessionId, ...query, contactId });
      const view = viewOf(session, ctx.publicUrl);
      return listOf("contacts", page, query, (contact) => presentContact(contact, view), position);
    },
  });

const blockRoute = (word: "block" | "unblock", summary: string) =>
  sessionRoute({
    method: "post",
    path: `/api/contacts/{sessionId}/{contactId}/${word}`,
    summary,
    scope: "send",
    params: inContact,
    response: contactSchema,
    handle: async ({ session, caller, params }, { contacts, publicUrl }) => {
      const isBlocked = word === "block";
      const numbering = numberingOf(caller);
      const contact = await contacts.block(session.sessionId, params.contactId, isBlocked, numbering);
      return ok(presentContact(contact, viewOf(session, publicUrl)));
    },
  });

export const contactRoutes: Route[] = [
  contactsOf("/api/contacts/{sessionId}"),
  contactsOf("/api/sessions/{sessionId}/contacts"),
  sessionRoute({
    method: "get",
    path: "/api/contacts/{sessionId}/stats",
    summary: "Counts of contacts",
    scope: "read",
    contract: true,
    params: inSession,
    response: z.object({
      total: z.int(),
      users: z.int(),
      groups: z.int(),
      business: z.int(),
      withName: z.int(),
      withPicture: z.int(),
    }),
    handle: async ({ session }, { store }) => ok(await store.inbox.contactStats(session.sessionId)),
  }),
  sessionRoute({
    method: "get",
    path: "/api/contacts/{sessionId}/search/{phone}",
    summary: "Whether a number is on WhatsApp; asked there at most once a day",
    scope: "read",
    contract: true,
    params: inSession.extend({ phone: inContact.shape.contactId }),
    response: z.object({ exists: z.boolean(), contact: contactSchema.nullable() }),
    handle: async ({ session, caller, params }, { contacts, publicUrl }) => {
      const { exists, contact } = await contacts.lookUp(session.sessionId, params.phone, numberingOf(caller));
      return ok({ exists, contact: contact && presentContact(contact, viewOf(session, publicUrl)) });
    },
  }),
  sessionRoute({
    method: "get",
    path: "/api/contacts/{sessionId}/info/{contactId}",
    summary: "One contact, from the hub's own store",
    scope: "read",
    contract: true,
    params: inContact,
    response: contactSchema.extend({ contact: contactSchema }),
    handle: async ({ session, caller, params }, { contacts, publicUrl }) => {
      const contact = await contacts.info(session.sessionId, params.contactId, numberingOf(caller));
      const shown = presentContact(contact, viewOf(session, publicUrl));
      return ok({ ...shown, contact: shown });
    },
  }),
  sessionRoute({
    method: "post",
    path: "/api/contacts/{sessionId}/look-up",
    summary: "Looks up everybody of the session who never was, in the hub's own time",
    scope: "read",
    params: inSession,
    body: z.object({
      limit: z.int().min(1).nullish().describe("Only so many, the most recently active; left out: all"),
    }),
    response: z.object({
      waiting: z.int().describe("How many of those never were"),
    }),
    handle: async ({ session, body }, { profiles }) =>
      ok({ waiting: await profiles.wantAll(session.sessionId, body.limit ?? null) }),
  }),
  sessionRoute({
    method: "get",
    path: "/api/contacts/{sessionId}/{contactId}/photo",
    summary: "The cached profile picture",
    scope: "read",
    params: inContact,
    response: "bytes",
    handle: async ({ session, caller, params }, { contacts }) =>
      download(await contacts.picture(session.sessionId, params.contactId, numberingOf(caller))),
  }),
  blockRoute("block", "Blocks a person: nothing they write arrives any more"),
  blockRoute("unblock", "Lets a blocked person write again"),
];
