/** Routes by which people write. */
import { z } from "zod";
import { newBurst } from "../operations/bursts.ts";
import { inboundMessage, typedMessage } from "../operations/messages.ts";
import { Refusal } from "../operations/refusal.ts";
import { read, route, type AdminRoute } from "./route.ts";

const oneOrMany = z.union([z.array(z.unknown()), z.unknown()]);

export const messageRoutes: AdminRoute[] = [
  route({
    method: "POST",
    path: "/admin/messages",
    summary:
      "A contact writes to the account, or into a group. One message or a list (kinds: text, image, video, audio, document, sticker, location, contact, reaction, edit, revoke, poll, raw)",
    example: { account: "99955500001", from: "9991000100001", kind: "text", text: "Hola" },
    handle: ({ body }, { operations }) => {
      const request = read(oneOrMany, body);
      return Array.isArray(request)
        ? operations.receiveAll(request.map((one) => inboundMessage.parse(one)))
        : operations.receive(inboundMessage.parse(request));
    },
  }),
  route({
    method: "POST",
    path: "/admin/mock-phone/type",
    summary: "The owner writes on the phone (to a contact or into a group); the linked device gets a copy",
    example: { account: "99955500001", to: "9991000100001", kind: "text", text: "Te llamo luego" },
    handle: ({ body }, { operations }) => operations.typeOnPhone(typedMessage.parse(body)),
  }),
  route({
    method: "POST",
    path: "/admin/bursts",
    summary: "Starts many text messages at a rate (perSecond 0: as fast as it goes)",
    example: { count: 1000, perSecond: 200, contacts: 10, groupShare: 0.1 },
    handle: ({ body }, { operations }) => operations.startBurst(read(newBurst, body)),
  }),
  route({
    method: "GET",
    path: "/admin/bursts/{id}",
    summary: "How far a burst is",
    handle: ({ params }, { operations }) => {
      const id = Number(params["id"]);
      if (!Number.isInteger(id)) throw new Refusal(404, "no such burst");
      return operations.burst(id);
    },
  }),
];
