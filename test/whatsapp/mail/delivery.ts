/**
 * The way to a companion: everything goes through its queue. While it is away the queue grows; when it comes back the
 * offline batch goes out in one go, announced and closed as Baileys rc14 expects (socket.js: offline_preview, offline).
 */
import type { Companion } from "../state/companion.ts";
import type { Queued } from "../state/queue.ts";
import { FROM_SERVER } from "../wire/jid.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";

type Parts = Pick<World, "faults" | "events">;

/** How the queue names a stanza, and how the companion's answer finds it again. */
export const messageKey = (id: string): string => `message:${id}`;
export const receiptKey = (id: string, type: string | undefined, from: string): string =>
  `receipt:${id}:${type ?? ""}:${from}`;
export const stanzaKey = (tag: string, id: string): string => `${tag}:${id}`;

export function deliver(companion: Companion, item: Queued, parts: Parts): void {
  companion.queue.put(item);
  if (!companion.live || companion.withheld) return;
  const due = companion.reorder && item.stanza.tag === "message" ? reordered(companion, item) : [item];
  for (const one of due) transmit(companion, one, one.stanza, parts);
}

/** Nothing until the last one is there, then all of them. */
function reordered(companion: Companion, item: Queued): Queued[] {
  const plan = companion.reorder;
  if (!plan) return [item];
  plan.held.push(item);
  if (plan.held.length < plan.order.length) return [];
  companion.reorder = undefined;
  return plan.order.flatMap((index) => plan.held[index] ?? []);
}

/** The companion said it is active: what waited for it goes out. */
export function startDelivery(companion: Companion, parts: Parts): void {
  const { connection, account } = companion;
  if (!connection || companion.live) return;
  const waiting = companion.withheld ? [] : companion.queue.all();
  const offline = waiting.filter((item) => !item.afterOffline);
  connection.together(() => {
    connection.send(stanza("ib", { from: FROM_SERVER }, [stanza("offline_preview", preview(offline))]));
    offline.forEach((item, index) => transmit(companion, item, asOffline(item.stanza, index), parts));
    // Without this Baileys keeps every event of the connection in its first buffer.
    if (!parts.faults.take("no-offline-end", account.number))
      connection.send(stanza("ib", { from: FROM_SERVER }, [stanza("offline", { count: offline.length })]));
    companion.live = true;
    for (const item of waiting) if (item.afterOffline) transmit(companion, item, item.stanza, parts);
  });
}

/** What was held back by `withheld` goes out. */
export function releaseWithheld(companion: Companion, parts: Parts): void {
  companion.withheld = false;
  if (!companion.live) return;
  const waiting = companion.queue.all().filter(({ sentOn }) => sentOn !== companion.connection?.id);
  for (const item of waiting) transmit(companion, item, item.stanza, parts);
}

function transmit(companion: Companion, item: Queued, node: Stanza, { faults }: Parts): void {
  const { connection, account } = companion;
  const isMessage = node.tag === "message";
  const times = isMessage ? (faults.take("duplicate", account.number)?.times ?? 1) : 1;
  for (let n = 0; n < times; n++)
    if (connection?.send(node)) {
      item.sentOn = connection.id;
      item.onSent?.();
    }
  if (isMessage) remember(companion, item.stanza);
  // The predicate counts the stanzas down; the fault is taken when none is left.
  if (isMessage && faults.take("cut-after", account.number, (cut) => --cut.stanzas <= 0)) connection?.cut();
}

/** As many messages can be played again. */
const RECENT = 500;
function remember({ recent }: Companion, node: Stanza): void {
  recent.set(node.attrs["id"] ?? "", node);
  if (recent.size <= RECENT) return;
  const [oldest] = recent.keys();
  if (oldest !== undefined) recent.delete(oldest);
}

const asOffline = (node: Stanza, index: number): Stanza => ({
  ...node,
  attrs: { ...node.attrs, offline: String(index) },
});

function preview(items: Queued[]): Record<string, number> {
  const of = (tag: string): number => items.filter(({ stanza: { tag: its } }) => its === tag).length;
  return {
    count: items.length,
    message: of("message"),
    receipt: of("receipt"),
    notification: of("notification"),
    call: of("call"),
    appdata: 0,
  };
}
