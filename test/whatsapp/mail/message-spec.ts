/** What a contact (or the phone's owner) may say, as callers write it down. */
import { z } from "zod";

const target = z.object({
  id: z.string().min(1),
  /** Was the message written by the account's owner? Left out: the ledger knows. */
  fromMe: z.boolean().optional(),
  /** In a group: number of who wrote it, when neither the account nor the sender did. */
  author: z.string().optional(),
});

/** Every kind may answer another message. */
const common = {
  replyTo: target.extend({ text: z.string().optional() }).optional(),
  /** Numbers. */
  mentions: z.array(z.string()).optional(),
  forwarded: z.boolean().optional(),
  viewOnce: z.boolean().optional(),
};
/** The file: its bytes, or a size of made-up ones; left out: a small sample. */
const file = {
  base64: z.base64().optional(),
  bytes: z.number().int().positive().max(500_000_000).optional(),
  mimetype: z.string().optional(),
  caption: z.string().optional(),
};

export const messageSpec = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("text"), text: z.string(), ...common }),
  z.object({ kind: z.literal("image"), ...file, ...common }),
  z.object({ kind: z.literal("video"), ...file, ...common }),
  z.object({
    kind: z.literal("audio"),
    voice: z.boolean().default(false),
    seconds: z.number().default(3),
    ...file,
    ...common,
  }),
  z.object({ kind: z.literal("document"), fileName: z.string().default("document.pdf"), ...file, ...common }),
  z.object({ kind: z.literal("sticker"), ...file, ...common }),
  z.object({
    kind: z.literal("location"),
    latitude: z.number(),
    longitude: z.number(),
    name: z.string().optional(),
    address: z.string().optional(),
    ...common,
  }),
  z.object({ kind: z.literal("contact"), name: z.string(), number: z.string(), ...common }),
  z.object({ kind: z.literal("reaction"), target, emoji: z.string() }),
  z.object({ kind: z.literal("edit"), target, text: z.string() }),
  z.object({ kind: z.literal("revoke"), target }),
  z.object({
    kind: z.literal("poll"),
    question: z.string(),
    options: z.array(z.string()).min(2).max(12),
    selectable: z.number().int().min(0).default(1),
    ...common,
  }),
  /** Any message in protobuf's JSON form (bytes as base64): for kinds that have no name here. */
  z.object({ kind: z.literal("raw"), message: z.record(z.string(), z.unknown()) }),
]);

export type ReadMessageSpec = z.output<typeof messageSpec>;
export type MessageTarget = z.output<typeof target>;

/** The text of a message, if it is one that people can read. */
export function textOfSpec(spec: ReadMessageSpec): string | undefined {
  if ("text" in spec) return spec.text;
  if ("caption" in spec) return spec.caption;
  if (spec.kind === "reaction") return spec.emoji;
  return spec.kind === "poll" ? spec.question : undefined;
}
