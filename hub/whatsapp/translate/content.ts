/** What a message says, by kind. Every kind WhatsApp has ends here: in one of the contract's, or as a readable stand-in. */
import type { MessageMedia, MessageType } from "../../core/message.ts";
import type { proto } from "../baileys.ts";
import { mediaOf } from "./media.ts";
import { clip, nameOrNull, number, vcardsOf } from "./fields.ts";
import { standInOf } from "./stand-in.ts";
import { kindOf } from "./unwrap.ts";

export interface Content {
  type: MessageType;
  content: string;
  caption: string | null;
  media: MessageMedia | null;
  location: { latitude: number; longitude: number; name: string | null; address: string | null } | null;
  contacts: { name: string; vcard: string }[] | null;
  poll: { name: string; values: string[]; selectableCount: number } | null;
  context: proto.IContextInfo | null;
  unknownKind: string | null;
}

type Said = Partial<Content> & { type: MessageType; content: string };

/** Null for messages that nobody sees (keys, settings, requests between devices). */
export function contentOf(message: proto.IMessage): Content | null {
  const said = text(message) ?? file(message) ?? place(message) ?? people(message) ?? choice(message);
  if (said !== null) return complete(said, message);
  const kind = kindOf(message);
  if (kind === null) return null;
  const standIn = standInOf(kind, message);
  return standIn === null ? null : complete({ type: "text", content: standIn, unknownKind: kind }, message);
}

const complete = (said: Said, message: proto.IMessage): Content => ({
  caption: null,
  media: null,
  location: null,
  contacts: null,
  poll: null,
  unknownKind: null,
  context: contextOf(message),
  ...said,
  content: clip(said.content),
});

/** Whoever sent it meant something by it; what, is in members this version has no name for. */
export const contentOfTheFuture = (message: proto.IMessage): Content =>
  complete(
    { type: "text", content: "A message of a kind this version does not know", unknownKind: "unknown" },
    message,
  );

function text(message: proto.IMessage): Said | null {
  if (message.conversation) return { type: "text", content: message.conversation };
  const extended = message.extendedTextMessage;
  return extended ? { type: "text", content: extended.text ?? "" } : null;
}

function file(message: proto.IMessage): Said | null {
  const { imageMessage: image, audioMessage: audio, documentMessage: document } = message;
  const video = message.videoMessage ?? message.ptvMessage;
  const sticker = message.stickerMessage;
  if (image) return captioned("image", image.caption, mediaOf("image", image));
  if (video) return captioned("video", video.caption, mediaOf("video", video));
  if (audio) return captioned("audio", null, { ...mediaOf("audio", audio), ptt: audio.ptt === true });
  if (document)
    return captioned(
      "document",
      document.caption,
      mediaOf("document", document, document.fileName ?? document.title),
    );
  if (sticker) return captioned("sticker", null, mediaOf("sticker", sticker));
  return null;
}

function captioned(type: MessageType, caption: string | null | undefined, media: MessageMedia): Said {
  const words = caption ? clip(caption) : null;
  return { type, content: words ?? "", caption: words, media };
}

function place({ locationMessage: here, liveLocationMessage: live }: proto.IMessage): Said | null {
  if (here) return location(here, here.name, here.address);
  return live ? location(live, live.caption, null) : null;
}

function location(
  at: { degreesLatitude?: number | null; degreesLongitude?: number | null },
  name: string | null | undefined,
  address: string | null | undefined,
): Said {
  const latitude = number(at.degreesLatitude);
  const longitude = number(at.degreesLongitude);
  const words = [name, address].filter((part) => part).join(", ");
  return {
    type: "location",
    content: `📍 ${words === "" ? `${latitude}, ${longitude}` : words}`,
    location: { latitude, longitude, name: nameOrNull(name), address: nameOrNull(address) },
  };
}

function people(message: proto.IMessage): Said | null {
  const one = message.contactMessage;
  const many = message.contactsArrayMessage;
  if (!one && !many) return null;
  const contacts = vcardsOf(one ? [one] : (many?.contacts ?? []));
  const names = contacts.map((contact) => contact.name).join(", ");
  return {
    type: "contact",
    content: `👤 ${names === "" ? (many?.displayName ?? "Contact") : names}`,
    contacts,
  };
}

function choice(message: proto.IMessage): Said | null {
  return poll(message) ?? buttons(message) ?? list(message);
}

function poll(message: proto.IMessage): Said | null {
  const created =
    message.pollCreationMessage ??
    message.pollCreationMessageV2 ??
    message.pollCreationMessageV3 ??
    message.pollCreationMessageV5;
  if (!created) return null;
  const name = clip(created.name ?? "");
  const values = (created.options ?? []).map((option) => clip(option.optionName ?? ""));
  return {
    type: "poll",
    content: `📊 ${name}`,
    poll: { name, values, selectableCount: created.selectableOptionsCount ?? 0 },
  };
}

/** Questions with buttons, and answers to them: the member, and where its words are. */
const BUTTONS: [keyof proto.IMessage, (message: proto.IMessage) => string | null | undefined][] = [
  ["buttonsMessage", (m) => m.buttonsMessage?.contentText],
  ["buttonsResponseMessage", (m) => m.buttonsResponseMessage?.selectedDisplayText],
  ["templateButtonReplyMessage", (m) => m.templateButtonReplyMessage?.selectedDisplayText],
  ["templateMessage", (m) => templateText(m.templateMessage)],
  ["interactiveMessage", (m) => m.interactiveMessage?.body?.text],
  ["interactiveResponseMessage", (m) => m.interactiveResponseMessage?.body?.text],
];

function buttons(message: proto.IMessage): Said | null {
  for (const [name, words] of BUTTONS)
    if (message[name]) return { type: "buttons", content: words(message) ?? "" };
  return null;
}

const templateText = (template: proto.Message.ITemplateMessage | null | undefined): string | undefined =>
  template?.hydratedTemplate?.hydratedContentText ??
  template?.hydratedFourRowTemplate?.hydratedContentText ??
  template?.interactiveMessageTemplate?.body?.text ??
  undefined;

function list(message: proto.IMessage): Said | null {
  const { listMessage: asked, listResponseMessage: chosen } = message;
  if (asked)
    return { type: "list", content: [asked.title, asked.description].filter((part) => part).join("\n") };
  if (chosen) return { type: "list", content: chosen.title ?? chosen.description ?? "" };
  return null;
}

/** The context (quote, mentions, forwarding) lies in whatever member the message has. */
function contextOf(message: proto.IMessage): proto.IContextInfo | null {
  for (const value of Object.values(message) as unknown[]) {
    if (typeof value !== "object" || value === null || !("contextInfo" in value)) continue;
    const { contextInfo } = value as { contextInfo?: proto.IContextInfo | null };
    if (contextInfo) return contextInfo;
  }
  return null;
}
