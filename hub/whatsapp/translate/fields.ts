/** Values of WhatsApp's protos, made safe: what people send is hostile, so every field has a size. */
import type { proto } from "../baileys.ts";

const MAX_TEXT = 100_000;
const MAX_NAME = 1000;
const MAX_VCARD = 100_000;
const MAX_CONTACTS = 250;

export const clip = (value: string, max = MAX_TEXT): string =>
  value.length <= max ? value : value.slice(0, max);

export const clipName = (value: string): string => clip(value, MAX_NAME);

export const nameOrNull = (value: string | null | undefined): string | null =>
  value ? clipName(value) : null;

/** A number of a proto: 64-bit ones come as an object. */
export function number(value: unknown): number {
  if (typeof value === "number") return Number.isFinite(value) ? value : 0;
  if (typeof value === "string") return number(Number(value));
  if (typeof value !== "object" || value === null) return 0;
  if (!("low" in value) || !("high" in value)) return 0;
  return number(value.high) * 2 ** 32 + (number(value.low) >>> 0);
}

export const base64 = (bytes: Uint8Array | string | null | undefined): string | null => {
  if (!bytes || bytes.length === 0) return null;
  if (typeof bytes === "string") return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
};

export const vcardsOf = (cards: proto.Message.IContactMessage[]): { name: string; vcard: string }[] =>
  cards.slice(0, MAX_CONTACTS).map((card) => {
    const vcard = clip(card.vcard ?? "", MAX_VCARD);
    return { name: clipName(card.displayName ?? nameInVcard(vcard) ?? "Contact"), vcard };
  });

const nameInVcard = (vcard: string): string | null => /^FN[^:\r\n]*:(.*)$/m.exec(vcard)?.[1]?.trim() ?? null;
