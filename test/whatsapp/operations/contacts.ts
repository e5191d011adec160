/** What contacts do besides writing: come online, type, call, confirm, change their name, picture or phone. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { announceContacts, saveContacts } from "../holdings/address-book.ts";
import { setPicture } from "../iq/pictures.ts";
import { deliver, receiptKey, stanzaKey } from "../mail/delivery.ts";
import { samplePng } from "../media/sample-files.ts";
import { linkedCompanions, type Account } from "../state/account.ts";
import { addressOf, otherAddressOf, type Addressing, type Person } from "../state/people.ts";
import { isGroupJid, isLidJid, pnJid } from "../wire/jid.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { accountOf, contactOf } from "./find.ts";
import { Refusal } from "./refusal.ts";

const who = { account: z.string().optional(), from: z.string().optional() };

export const presenceRequest = z.strictObject({
  ...who,
  state: z.enum(["available", "unavailable", "composing", "recording", "paused"]),
  /** Unix seconds, with `unavailable`. */
  lastSeen: z.number().int().optional(),
});
export const callRequest = z.strictObject({
  ...who,
  id: z.string().optional(),
  event: z.enum(["offer", "accept", "reject", "timeout", "terminate"]).default("offer"),
  video: z.boolean().default(false),
});
export const receiptRequest = z.strictObject({
  account: z.string().optional(),
  ids: z.array(z.string()).min(1),
  type: z.enum(["delivery", "read", "played"]).default("delivery"),
  /** Number of who confirms; left out: who got it (in a group: the first). */
  by: z.string().optional(),
});
export const contactChange = z.strictObject({
  /** Name in the address book; null deletes the entry. */
  name: z.string().nullable().optional(),
  pushName: z.string().optional(),
  about: z.string().optional(),
  picture: z.enum(["new", "none"]).optional(),
  /** A new phone: new identity keys. */
  reinstalled: z.literal(true).optional(),
  /** False: the number is not on WhatsApp. */
  onWhatsApp: z.boolean().optional(),
});

export type PresenceRequest = z.input<typeof presenceRequest>;
export type CallRequest = z.input<typeof callRequest>;
export type ReceiptRequest = z.input<typeof receiptRequest>;
export type ContactChange = z.input<typeof contactChange>;

export interface ContactOperations {
  /** Only seen by devices that are online. */
  showPresence(request: PresenceRequest): void;
  call(request: CallRequest): { id: string };
  /** By hand, beyond what the account's options do by themselves; any number of ids in one receipt. */
  confirm(request: ReceiptRequest): void;
  changeContact(account: string | undefined, contact: string, change: ContactChange): void;
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const newId = (): string => randomBytes(8).toString("hex").toUpperCase();

export function contactOperations(world: World): ContactOperations {
  const notify = (account: Account, node: Stanza): void => {
    const { id = "" } = node.attrs;
    for (const companion of linkedCompanions(account))
      deliver(companion, { key: stanzaKey(node.tag, id), stanza: node, afterOffline: false }, world);
  };

  return {
    showPresence(request) {
      const { state, lastSeen, ...rest } = presenceRequest.parse(request);
      const account = accountOf(rest.account, world);
      const from = addressOf(contactOf(rest.from, account, world), account.options.addressing);
      const node = presenceNode(from, state, lastSeen);
      for (const companion of linkedCompanions(account)) if (companion.live) companion.connection?.send(node);
    },
    call(request) {
      const { event, video, id = newId(), ...rest } = callRequest.parse(request);
      const account = accountOf(rest.account, world);
      const caller = contactOf(rest.from, account, world);
      notify(account, callNode({ id, event, video, caller, addressing: account.options.addressing }));
      return { id };
    },
    confirm(request) {
      const receipt = receiptRequest.parse(request);
      const account = accountOf(receipt.account, world);
      const node = receiptNode(receipt, account, world);
      const key = receiptKey(
        node.attrs["id"] ?? "",
        node.attrs["type"],
        node.attrs["participant"] ?? node.attrs["from"] ?? "",
      );
      for (const companion of linkedCompanions(account))
        deliver(companion, { key, stanza: node, afterOffline: false }, world);
    },
    changeContact(reference, contact, change) {
      const account = accountOf(reference, world);
      const person = contactOf(contact, account, world);
      const { name, pushName, about, picture, reinstalled, onWhatsApp } = contactChange.parse(change);
      if (name !== undefined) {
        saveContacts(account, [{ pn: person.pn, name: name ?? undefined }], world);
        announceContacts(account, world);
      }
      if (pushName !== undefined) person.pushName = pushName;
      if (about !== undefined) person.about = about;
      if (onWhatsApp !== undefined) world.people.setAbsent(person.pn, !onWhatsApp);
      if (picture) notify(account, changePicture(person, picture, account, world));
      if (reinstalled) {
        person.reinstall();
        notify(
          account,
          stanza(
            "notification",
            {
              from: addressOf(person, account.options.addressing),
              type: "encrypt",
              id: newId(),
              t: seconds(),
            },
            [stanza("identity")],
          ),
        );
      }
    },
  };
}

function presenceNode(
  from: string,
  state: z.output<typeof presenceRequest>["state"],
  lastSeen: number | undefined,
): Stanza {
  if (state === "available" || state === "unavailable")
    return stanza("presence", { from, type: state === "available" ? undefined : state, last: lastSeen });
  return stanza("chatstate", { from }, [
    state === "recording" ? stanza("composing", { media: "audio" }) : stanza(state),
  ]);
}

interface Call {
  id: string;
  event: z.output<typeof callRequest>["event"];
  video: boolean;
  caller: Person;
  addressing: Addressing;
}

function callNode({ id, event, video, caller, addressing }: Call): Stanza {
  const from = addressOf(caller, addressing);
  const about = { "call-id": id, "call-creator": from, caller_pn: pnJid(caller.pn) };
  const media = stanza(video ? "video" : "audio", { enc: "opus", rate: 16_000 });
  // "timeout" is how Baileys names a call that was ended for want of an answer.
  const info =
    event === "offer"
      ? stanza("offer", about, [media])
      : event === "timeout"
        ? stanza("terminate", { ...about, reason: "timeout" })
        : stanza(event, about);
  return stanza("call", { from, id: `${id}-${event}`, t: seconds(), notify: caller.pushName }, [info]);
}

function receiptNode(
  { ids, type, by }: z.output<typeof receiptRequest>,
  account: Account,
  world: World,
): Stanza {
  const [id = "", ...others] = ids;
  const sent = world.sent.query({ account: account.number, id, limit: 1 })[0];
  if (!sent && by === undefined) throw new Refusal(404, "no such sent message: say who confirms");
  const person = by === undefined ? world.people.get(sent?.readBy ?? "") : contactOf(by, account, world);
  const chat = sent?.toJid ?? addressOf(person, account.options.addressing);
  const rest =
    others.length > 0
      ? [
          stanza(
            "list",
            {},
            others.map((other) => stanza("item", { id: other })),
          ),
        ]
      : undefined;
  return stanza(
    "receipt",
    { id, ...confirmedFrom(chat, person, world), type: type === "delivery" ? undefined : type, t: seconds() },
    rest,
  );
}

function confirmedFrom(
  chat: string,
  person: Person,
  { groups }: Pick<World, "groups">,
): Record<string, string> {
  if (isGroupJid(chat))
    return { from: chat, participant: addressOf(person, groups.get(chat)?.addressing ?? "lid") };
  return { from: addressOf(person, isLidJid(chat) ? "lid" : "pn") };
}

function changePicture(person: Person, picture: "new" | "none", account: Account, world: World): Stanza {
  const { addressing } = account.options;
  if (picture === "new") setPicture(person, samplePng(`${person.pn} ${Date.now()}`), world);
  else person.pictureId = undefined;
  const author = otherAddressOf(person, addressing);
  return stanza(
    "notification",
    { from: addressOf(person, addressing), type: "picture", id: newId(), t: seconds() },
    [picture === "new" ? stanza("set", { id: person.pictureId, author }) : stanza("delete", { author })],
  );
}
