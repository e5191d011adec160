/** Routes for what people do besides writing: presence, calls, receipts, groups, contacts; and for what WhatsApp would not do. */
import { callRequest, contactChange, presenceRequest, receiptRequest } from "../operations/contacts.ts";
import { groupChange, newGroup } from "../operations/groups.ts";
import { historyRequest, replayRequest, resendRequest, stanzaRequest } from "../operations/replays.ts";
import { restrictionRequest } from "../operations/standing.ts";
import { read, route, type AdminRoute } from "./route.ts";

export const peopleRoutes: AdminRoute[] = [
  route({
    method: "POST",
    path: "/admin/presence",
    summary: "A contact comes online, types, … (available, unavailable, composing, recording, paused)",
    example: { from: "9991000100001", state: "composing" },
    handle: ({ body }, { operations }) => operations.showPresence(read(presenceRequest, body)),
  }),
  route({
    method: "POST",
    path: "/admin/calls",
    summary: "A contact calls (event: offer, accept, reject, timeout, terminate; the same id for one call)",
    example: { from: "9991000100001", video: false },
    handle: ({ body }, { operations }) => operations.call(read(callRequest, body)),
  }),
  route({
    method: "POST",
    path: "/admin/receipts",
    summary: "A contact confirms sent messages by hand (type: delivery, read, played)",
    example: { ids: ["3EB0…"], type: "read" },
    handle: ({ body }, { operations }) => operations.confirm(read(receiptRequest, body)),
  }),
  route({
    method: "PATCH",
    path: "/admin/accounts/{number}/contacts/{contact}",
    summary:
      "A contact changes: name in the address book (null deletes it), pushName, about, picture (new, none), reinstalled, onWhatsApp",
    example: { name: "Ana Nueva", picture: "new" },
    handle: ({ params, body }, { operations }) =>
      operations.changeContact(params["number"], params["contact"] ?? "", read(contactChange, body)),
  }),
  route({
    method: "POST",
    path: "/admin/groups",
    summary: "A group comes into being, of contacts and any accounts",
    example: { subject: "Ventas", members: ["9991000100001", "99955500001"] },
    handle: ({ body }, { operations }) => operations.createGroup(read(newGroup, body)),
  }),
  route({
    method: "GET",
    path: "/admin/groups/{id}",
    summary: "A group",
    handle: ({ params }, { operations }) => operations.group(params["id"] ?? ""),
  }),
  route({
    method: "PATCH",
    path: "/admin/groups/{id}",
    summary:
      "A group changes: subject, description, announcement, locked, ephemeralSeconds, add, remove, promote, demote",
    example: { subject: "Ventas 2", add: ["9991000100002"] },
    handle: ({ params, body }, { operations }) =>
      operations.changeGroup(params["id"] ?? "", read(groupChange, body)),
  }),
  route({
    method: "POST",
    path: "/admin/restrictions",
    summary:
      "WhatsApp restricts the account: no new chats until a time (timelock), or so many (newChats); null lifts it",
    example: { timelock: { until: 1900000000 } },
    handle: ({ body }, { operations }) => operations.restrict(read(restrictionRequest, body)),
  }),
  route({
    method: "POST",
    path: "/admin/replays",
    summary: "A message's stanza again, under its own id or another, with the ciphertext it had",
    example: { id: "3A…", as: "3AFF" },
    handle: ({ body }, { operations }) => operations.replay(read(replayRequest, body)),
  }),
  route({
    method: "POST",
    path: "/admin/resends",
    summary: "The sender sends a message once more, encrypted anew, as after a request that came late",
    example: { id: "3A…" },
    handle: ({ body }, { operations }) => operations.resend(read(resendRequest, body)),
  }),
  route({
    method: "POST",
    path: "/admin/history",
    summary: "The phone sends its history again, or some chunks of it in any order",
    example: { chunks: [2, 2, 1] },
    handle: ({ body }, { operations }) => operations.sendHistory(read(historyRequest, body)),
  }),
  route({
    method: "POST",
    path: "/admin/stanzas",
    summary: "Any stanza, as it is: {tag, attrs, content: [children] | text | {base64}}",
    example: { stanza: { tag: "notification", attrs: { from: "@s.whatsapp.net", type: "mex", id: "1" } } },
    handle: ({ body }, { operations }) => operations.sendStanza(read(stanzaRequest, body)),
  }),
];
