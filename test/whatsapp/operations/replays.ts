/** Things that WhatsApp does not do by itself: the same stanza again, a made-up stanza, history once more. */
import { z } from "zod";
import { deliver, messageKey, stanzaKey } from "../mail/delivery.ts";
import { sendAnew } from "../mail/retries.ts";
import { stanza, type Stanza, type StanzaContent } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { accountOf, companionOf } from "./find.ts";
import { Refusal } from "./refusal.ts";

export const replayRequest = z.strictObject({
  account: z.string().optional(),
  /** A message that went out (one of the newest 500). */
  id: z.string(),
  /** Under this id; left out: its own. The ciphertext stays what it was. */
  as: z.string().optional(),
});

export const resendRequest = z.strictObject({ account: z.string().optional(), id: z.string() });

export interface JsonStanza {
  tag: string;
  attrs?: Record<string, string> | undefined;
  /** Children, or text, or bytes. */
  content?: JsonStanza[] | string | { base64: string } | undefined;
}
const jsonStanza: z.ZodType<JsonStanza> = z.lazy(() =>
  z.strictObject({
    tag: z.string().min(1),
    attrs: z.record(z.string(), z.string()).optional(),
    content: z.union([z.array(jsonStanza), z.string(), z.strictObject({ base64: z.base64() })]).optional(),
  }),
);
export const stanzaRequest = z.strictObject({
  account: z.string().optional(),
  stanza: jsonStanza,
  /** Keep it until it is acknowledged, like a message. */
  queued: z.boolean().default(false),
});
export const historyRequest = z.strictObject({
  account: z.string().optional(),
  /** Which chunks, in which order; left out: all. Numbered from 0 as they were made. */
  chunks: z.array(z.number().int().min(0)).optional(),
});

export type ReplayRequest = z.input<typeof replayRequest>;
export type ResendRequest = z.input<typeof resendRequest>;
export type StanzaRequest = z.input<typeof stanzaRequest>;
export type HistoryRequest = z.input<typeof historyRequest>;

export interface ReplayOperations {
  replay(request: ReplayRequest): void;
  /** The sender of a message that was not acknowledged sends it once more, encrypted anew. */
  resend(request: ResendRequest): void;
  sendStanza(request: StanzaRequest): void;
  /** The phone sends its history (or some chunks of it) again. */
  sendHistory(request?: HistoryRequest): void;
}

export function replayOperations(world: World): ReplayOperations {
  return {
    replay(request) {
      const { account, id, as } = replayRequest.parse(request);
      const companion = companionOf(accountOf(account, world));
      const node = companion.recent.get(id);
      if (!node) throw new Refusal(404, "no such message among the newest");
      const entry = world.ledger.find(companion.account.number, companion.device, id);
      const again = as === undefined ? node : { ...node, attrs: { ...node.attrs, id: as } };
      deliver(
        companion,
        {
          key: messageKey(as ?? id),
          stanza: again,
          afterOffline: false,
          onSent: () => as === undefined && entry && world.ledger.sent(entry),
        },
        world,
      );
    },
    resend(request) {
      const { account, id } = resendRequest.parse(request);
      const companion = companionOf(accountOf(account, world));
      const { number } = companion.account;
      const envelope = world.resends.find(number, id);
      const entry = world.ledger.find(number, companion.device, id);
      if (!envelope || !entry) throw new Refusal(404, "no such message that waits for its receipt");
      sendAnew({ envelope, entry, companion, count: "1", bundle: undefined }, world);
    },
    sendStanza(request) {
      const { account, queued, ...rest } = stanzaRequest.parse(request);
      const companion = companionOf(accountOf(account, world));
      const node = fromJson(rest.stanza);
      if (queued)
        deliver(
          companion,
          { key: stanzaKey(node.tag, node.attrs["id"] ?? ""), stanza: node, afterOffline: false },
          world,
        );
      else if (!companion.connection?.send(node)) throw new Refusal(409, "not connected");
    },
    sendHistory(request = {}) {
      const { account: reference, chunks } = historyRequest.parse(request);
      const account = accountOf(reference, world);
      account.history.sendTo(companionOf(account), chunks);
    },
  };
}

function fromJson({ tag, attrs, content }: JsonStanza): Stanza {
  const read = (): StanzaContent => {
    if (content === undefined || typeof content === "string") return content;
    return Array.isArray(content) ? content.map(fromJson) : Buffer.from(content.base64, "base64");
  };
  return stanza(tag, attrs, read());
}
