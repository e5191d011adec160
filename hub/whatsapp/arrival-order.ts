/**
 * What is said in a chat is recorded in the order it arrived, although live stanzas overtake the rest of an offline batch.
 * A message waits for earlier ones of its chat that are still being decrypted, two seconds at most.
 */
import { isLidJid } from "../core/jid.ts";
import type { InFlight } from "./in-flight.ts";
import { addressOf } from "./translate/addresses.ts";

const MAX_HOLD_MS = 2000;
/** A stanza that Baileys never came back to holds nobody by then. */
const FORGOTTEN_MS = 60_000;

export interface ArrivalOrder {
  /** A stanza was seen; later ones of its chat come after it. */
  arrived(stanza: InFlight): void;
  /** It can be recorded: `deliver` is called now or when its turn has come. */
  ready(stanza: InFlight, deliver: () => void): void;
  /** Nothing will come of it. */
  gone(stanza: InFlight): void;
  /** Delivers what still waits, whatever is missing. */
  stop(): void;
}

interface Waiting {
  stanza: InFlight;
  arrivedAt: number;
  deliver: (() => void) | null;
  /** When the wait ends. */
  until: number;
}

/** One conversation has one order, whichever of its two addresses a stanza comes by. */
function chatOf({ chat, node: { attrs } }: InFlight): string {
  const address = addressOf(chat);
  const phone = attrs["recipient"] === undefined ? attrs["sender_pn"] : attrs["peer_recipient_pn"];
  return phone && isLidJid(address) ? addressOf(phone) : address;
}

export function createArrivalOrder(): ArrivalOrder {
  const chats = new Map<string, Waiting[]>();
  let timer: NodeJS.Timeout | null = null;
  let lastSweep = 0;

  function release(chat: string): void {
    const queue = chats.get(chat);
    if (queue === undefined) return;
    const now = performance.now();
    const late = queue.findLastIndex((entry) => entry.deliver !== null && entry.until <= now);
    let done = 0;
    for (const [at, entry] of queue.entries()) {
      // Up to the last one whose wait is over everything goes; what is missing there will be late.
      if (entry.deliver === null && at > late) break;
      entry.deliver?.();
      done++;
    }
    if (done === queue.length) chats.delete(chat);
    else queue.splice(0, done);
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = null;
      for (const chat of [...chats.keys()]) release(chat);
      if ([...chats.values()].some((queue) => queue.some((entry) => entry.deliver !== null))) schedule();
    }, MAX_HOLD_MS);
    timer.unref();
  }

  function forget(now: number): void {
    if (now - lastSweep < FORGOTTEN_MS) return;
    lastSweep = now;
    for (const [chat, queue] of chats)
      if (queue.every((entry) => entry.deliver === null && now - entry.arrivedAt > FORGOTTEN_MS))
        chats.delete(chat);
  }

  const find = (stanza: InFlight): Waiting | undefined =>
    chats.get(chatOf(stanza))?.find((entry) => entry.stanza === stanza);

  return {
    arrived: (stanza) => {
      const now = performance.now();
      forget(now);
      const entry = { stanza, arrivedAt: now, deliver: null, until: Infinity };
      const chat = chatOf(stanza);
      const queue = chats.get(chat);
      if (queue === undefined) chats.set(chat, [entry]);
      else queue.push(entry);
    },
    ready: (stanza, deliver) => {
      const entry = find(stanza);
      // Overtaken, or never put in order: there is nothing left to wait for.
      if (entry === undefined) {
        deliver();
        return;
      }
      entry.deliver = deliver;
      entry.until = performance.now() + MAX_HOLD_MS;
      release(chatOf(stanza));
      if (chats.has(chatOf(stanza))) schedule();
    },
    gone: (stanza) => {
      const entry = find(stanza);
      if (entry === undefined) return;
      entry.deliver = () => undefined;
      entry.until = Infinity;
      release(chatOf(stanza));
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      for (const queue of chats.values()) for (const entry of queue) entry.deliver?.();
      chats.clear();
    },
  };
}
