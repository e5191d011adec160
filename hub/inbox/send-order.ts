/** A send as it waits on disk: everything needed to make it leave after a crash, files by their id instead of a path. */
import { z } from "zod";
import type { OutgoingContent, OutgoingFile } from "../core/whatsapp.ts";

const file = z.object({ mediaId: z.string(), mimetype: z.string(), filename: z.string() });
const caption = z.string().nullable();

const content = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("text"), text: z.string() }),
  z.object({ kind: z.literal("image"), file, caption }),
  z.object({ kind: z.literal("video"), file, caption }),
  z.object({ kind: z.literal("audio"), file, ptt: z.boolean() }),
  z.object({ kind: z.literal("document"), file, caption }),
  z.object({ kind: z.literal("sticker"), file }),
  z.object({
    kind: z.literal("location"),
    latitude: z.number(),
    longitude: z.number(),
    name: z.string().nullable(),
    address: z.string().nullable(),
  }),
  z.object({
    kind: z.literal("contacts"),
    displayName: z.string(),
    contacts: z.array(z.object({ name: z.string(), vcard: z.string() })),
  }),
  z.object({
    kind: z.literal("poll"),
    name: z.string(),
    values: z.array(z.string()),
    selectableCount: z.number(),
  }),
]);

const order = z.object({
  content,
  quotedMessageId: z.string().nullable(),
  mentions: z.array(z.string()),
  isForwarded: z.boolean(),
  /** Its sender said how long it makes sense. Absent in orders of older versions. */
  isTimed: z.boolean().optional(),
});

/** What a message says, with its file as an item of ours. */
export type KeptContent = z.infer<typeof content>;
export type KeptOrder = z.infer<typeof order>;

export const writeOrder = (kept: KeptOrder): string => JSON.stringify(kept);
export const readOrder = (text: string): KeptOrder => order.parse(JSON.parse(text));
/** Whether its time may be prolonged; not where nobody can read it. */
export const isTimed = (text: string): boolean => {
  try {
    return readOrder(text).isTimed === true;
  } catch {
    return true;
  }
};

/** What the library is given. */
export function outgoing(
  { content: kept, mentions }: KeptOrder,
  pathOf: (mediaId: string) => string,
): OutgoingContent {
  const onDisk = ({ mediaId, mimetype, filename }: z.infer<typeof file>): OutgoingFile => ({
    path: pathOf(mediaId),
    mimetype,
    filename,
  });
  switch (kept.kind) {
    case "text":
      return { ...kept, mentions };
    case "image":
    case "video":
    case "audio":
    case "document":
    case "sticker":
      return { ...kept, file: onDisk(kept.file) };
    case "contacts":
      return {
        kind: "contacts",
        displayName: kept.displayName,
        vcards: kept.contacts.map(({ vcard }) => vcard),
      };
    case "location":
    case "poll":
      return kept;
  }
}
