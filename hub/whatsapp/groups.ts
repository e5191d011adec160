/**
 * Who is in a group, as a send has to know it: from memory, from disk, or asked of WhatsApp, which answers only so many such
 * questions in a while. What is known of a group goes with the first news of it. A member that joined meanwhile misses nothing:
 * WhatsApp hands the message on, and its device asks for the key.
 */
import { HubError } from "../core/errors.ts";
import {
  WAMessageAddressingMode,
  type GroupMetadata,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type WASocket,
} from "./baileys.ts";
import { statusOf } from "./disconnect.ts";
import type { GroupCache } from "./group-cache.ts";
import type { Journal } from "./journal.ts";

/** Among the keys of the login: sealed as they are, and gone with them. The library has no such kind. */
const KIND: string = "group-members";
const FRESH_MS = 24 * 3_600_000;
const TOO_MANY_REQUESTS = 429;
const CONNECTION_CLOSED = 428;
const RETRY_AFTER_MS = 30_000;

export interface Groups {
  /** @throws HubError OVERLOADED while WhatsApp does not say, and nothing was kept. */
  of(jid: string): Promise<GroupMetadata>;
  /** The group changed. */
  forget(jid: string): void;
}

export interface GroupsParts {
  cache: GroupCache;
  socket: Pick<WASocket, "groupMetadata">;
  keys: SignalKeyStore;
  journal: Pick<Journal, "putKey">;
  now: () => Date;
}

/** What of a group a send needs; `at`: Unix milliseconds. */
interface Kept {
  at: number;
  mode: WAMessageAddressingMode | null;
  ephemeral: number | null;
  members: string[];
}

export function createGroups({ cache, socket, keys, journal, now }: GroupsParts): Groups {
  /** Groups that are asked about; news that come meanwhile may be newer than the answer. */
  const asking = new Map<string, { isOvertaken: boolean }>();

  async function keptOf(jid: string): Promise<Kept | null> {
    // What was stored under this kind comes back under it.
    const found: Record<string, unknown> = await keys.get(KIND as keyof SignalDataTypeMap, [jid]);
    const kept = found[jid];
    return isKept(kept) ? kept : null;
  }

  async function ask(jid: string): Promise<GroupMetadata> {
    const question = { isOvertaken: false };
    asking.set(jid, question);
    const group = await socket.groupMetadata(jid);
    cache.brake.answered(now());
    if (!question.isOvertaken) journal.putKey(KIND, jid, keptForm(group, now()));
    return group;
  }

  async function find(jid: string): Promise<GroupMetadata> {
    const kept = await keptOf(jid);
    if (kept !== null && now().getTime() - kept.at < FRESH_MS) return groupOf(jid, kept);
    const restMs = cache.brake.restMs(now());
    if (restMs > 0) return unanswered(jid, kept, { restMs });
    try {
      return await ask(jid);
    } catch (cause) {
      if (!isNoAnswer(cause)) throw cause;
      if (isLimit(cause)) cache.brake.limited(now());
      return unanswered(jid, kept, { restMs: cache.brake.restMs(now()) || RETRY_AFTER_MS, cause });
    }
  }

  return {
    of: (jid) => cache.get(jid, find),
    forget: (jid) => {
      const question = asking.get(jid);
      if (question !== undefined) question.isOvertaken = true;
      cache.forget(jid);
      journal.putKey(KIND, jid, null);
    },
  };
}

/** What is kept, however old. */
function unanswered(
  jid: string,
  kept: Kept | null,
  { restMs, cause }: { restMs: number; cause?: unknown },
): GroupMetadata {
  if (kept !== null) return groupOf(jid, kept);
  throw new HubError("OVERLOADED", "WhatsApp does not say at the moment who is in the group.", {
    retryAfterSeconds: Math.ceil(restMs / 1000),
    cause,
  });
}

const isLimit = (cause: Error): boolean => "data" in cause && cause.data === TOO_MANY_REQUESTS;

/**
 * WhatsApp wants fewer questions, or said nothing in time, which the library reports as an answer without content. A number of
 * another kind is a word on the group; a connection that closed is the connection's matter.
 */
function isNoAnswer(cause: unknown): cause is Error {
  if (!(cause instanceof Error) || !("data" in cause)) return false;
  if (isLimit(cause)) return true;
  const { data } = cause;
  return (data === undefined || data === null) && statusOf(cause) !== CONNECTION_CLOSED;
}

const keptForm = (group: GroupMetadata, now: Date): Kept => ({
  at: now.getTime(),
  mode: group.addressingMode ?? null,
  ephemeral: group.ephemeralDuration ?? null,
  members: group.participants.map(({ id }) => id),
});

const groupOf = (jid: string, { mode, ephemeral, members }: Kept): GroupMetadata => ({
  id: jid,
  subject: "",
  owner: undefined,
  participants: members.map((id) => ({ id })),
  ...(mode === null ? {} : { addressingMode: mode }),
  ...(ephemeral === null ? {} : { ephemeralDuration: ephemeral }),
});

const isMode = (value: unknown): value is WAMessageAddressingMode =>
  Object.values<unknown>(WAMessageAddressingMode).includes(value);

const hasMembers = (value: object): boolean =>
  "members" in value &&
  Array.isArray(value.members) &&
  value.members.every((member) => typeof member === "string");

const isKept = (value: unknown): value is Kept =>
  typeof value === "object" &&
  value !== null &&
  "at" in value &&
  typeof value.at === "number" &&
  "mode" in value &&
  (value.mode === null || isMode(value.mode)) &&
  "ephemeral" in value &&
  hasMembers(value);
