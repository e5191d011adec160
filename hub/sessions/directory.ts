/** Which sessions there are: finds the runner of each, makes new ones, and brings deleted ones back. */
import { botNews } from "../core/bot-event.ts";
import type { IsClockTrusted } from "../core/clock-trust.ts";
import { HubError } from "../core/errors.ts";
import type { JidForm } from "../core/jid.ts";
import { defaultSettings, newSession, type Session, type SessionSettings } from "../core/session.ts";
import type { SessionStore } from "../core/store.ts";
import { linkedWith } from "./number-claim.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { discardSealed, isOverdue, isResumable } from "./sealed.ts";
import { SessionRunner } from "./session-runner.ts";
import { createInOrder } from "./slots.ts";

export interface SessionInput {
  sessionId: string;
  sessionName?: string;
  sendToFrappe?: boolean;
  settings?: Partial<SessionSettings>;
  /** Label of the client that orders it. */
  by?: string;
  /** Settings of one that is new; one that comes back keeps its own. */
  defaults?: Partial<SessionSettings>;
}

export interface Directory {
  /** Reads the sessions once; nothing else works before. */
  load(): Promise<void>;
  all(): SessionRunner[];
  /** By name, or by the integer written as digits. `SESSION_NOT_FOUND`, also for deleted ones. */
  find(idOrName: string): SessionRunner;
  findIfAny(idOrName: string): SessionRunner | undefined;
  create(input: SessionInput): Promise<{ session: Session; created: boolean }>;
  /** By name or integer, however long ago it was deleted. */
  findDeleted(idOrName: string): Promise<Session | undefined>;
  /** Brings a session back that was deleted less than seven days ago; no effect on any other id. */
  resumeIfDeleted(idOrName: string): Promise<void>;
  /** The login of one that was deleted too long ago goes; false when there was none, or the name is in use again. */
  discardIfOverdue(sessionId: string): Promise<boolean>;
  forget(sessionId: string): void;
}

/** No session is named so. */
const isDigits = (text: string): boolean => /^\d+$/.test(text);

export function createDirectory({
  store,
  jidForm,
  isClockTrusted,
  parts,
}: {
  store: SessionStore;
  jidForm: JidForm;
  isClockTrusted: IsClockTrusted;
  parts: RunnerParts;
}): Directory {
  const { clock, log, nudge } = parts;
  const runners = new Map<string, SessionRunner>();
  const creating = createInOrder();
  let loading: Promise<void> | null = null;

  const admit = (session: Session): SessionRunner => {
    const runner = new SessionRunner(session, parts);
    runners.set(session.sessionId, runner);
    return runner;
  };

  function load(): Promise<void> {
    loading ??= store.list().then(
      (sessions) => sessions.forEach(admit),
      (cause: unknown) => {
        loading = null;
        throw cause;
      },
    );
    return loading;
  }

  function findIfAny(idOrName: string): SessionRunner | undefined {
    if (!isDigits(idOrName)) return runners.get(idOrName);
    return [...runners.values()].find(({ session }) => session.id === Number(idOrName));
  }

  async function findDeleted(idOrName: string): Promise<Session | undefined> {
    const isMeant = isDigits(idOrName)
      ? ({ id }: Session): boolean => id === Number(idOrName)
      : ({ sessionId }: Session): boolean => sessionId === idOrName;
    const all = await store.list({ includeDeleted: true });
    return all.find((session) => session.deletedAt !== null && isMeant(session));
  }

  const create: Directory["create"] = (input) =>
    creating.add(async () => {
      await load();
      const visible = runners.get(input.sessionId);
      if (visible !== undefined) return { session: visible.session, created: false };
      const deleted = await findDeleted(input.sessionId);
      const draft = deleted === undefined ? brandNew(input) : await broughtBack(deleted, input);
      const before = (deleted?.settings ?? defaultSettings(jidForm)).bot;
      const news = botNews(before, draft.settings.bot, { by: input.by ?? null, now: clock.now() });
      const session = await store.create(draft, news);
      if (session === null)
        throw new HubError("SESSION_EXISTS", `The id "${input.sessionId}" is in use already.`);
      if (news.length > 0) nudge.ring();
      log.info({ sessionId: session.sessionId, resumed: deleted !== undefined }, "session.created");
      return { session: admit(session).session, created: true };
    });

  function brandNew(input: SessionInput): Omit<Session, "id"> {
    const { sessionId, sessionName, sendToFrappe, settings, defaults } = input;
    const all = { ...defaultSettings(jidForm), ...defaults, ...settings };
    const session = newSession({ sessionId, sessionName, settings: all, now: clock.now() });
    return { ...session, sendToFrappe: sendToFrappe ?? false };
  }

  async function broughtBack(deleted: Session, input: SessionInput): Promise<Omit<Session, "id">> {
    const resumable = await mayResume(deleted);
    if (!resumable) await discardSealed(deleted.sessionId, parts);
    const keepsNumber = resumable && !(await isLinkedElsewhere(deleted));
    return {
      ...deleted,
      sessionName: input.sessionName ?? deleted.sessionName,
      state: "stopped",
      reason: null,
      phoneNumber: keepsNumber ? deleted.phoneNumber : null,
      lid: keepsNumber ? deleted.lid : null,
      deletedAt: null,
      sendToFrappe: input.sendToFrappe ?? deleted.sendToFrappe,
      settings: { ...deleted.settings, ...input.settings },
    };
  }

  /** Its phone was linked under another name meanwhile: that session has the number now. */
  const isLinkedElsewhere = async ({ phoneNumber, sessionId }: Session): Promise<boolean> =>
    phoneNumber !== null && (await linkedWith(phoneNumber, sessionId, parts)).length > 0;

  /** While the clock is in doubt a week may not have passed: a login that is still there is kept. */
  const mayResume = async (deleted: Session): Promise<boolean> =>
    isResumable(deleted, clock.now()) ||
    (!isClockTrusted() && (await parts.connector.isPaired(deleted.sessionId)));

  return {
    load,
    all: () => [...runners.values()],
    find: (idOrName) => {
      const runner = findIfAny(idOrName);
      if (runner === undefined)
        throw new HubError("SESSION_NOT_FOUND", `Session "${idOrName}" was not found.`);
      return runner;
    },
    findIfAny,
    findDeleted,
    create,
    resumeIfDeleted: async (idOrName) => {
      await load();
      if (findIfAny(idOrName) !== undefined) return;
      const deleted = await findDeleted(idOrName);
      if (deleted !== undefined && (await mayResume(deleted))) await create({ sessionId: deleted.sessionId });
    },
    // Looked up when its turn comes: telling WhatsApp takes seconds, in which another name may be made and linked again.
    discardIfOverdue: (sessionId) =>
      creating.add(async () => {
        const deleted = await findDeleted(sessionId);
        if (deleted === undefined || !isOverdue(deleted, clock.now())) return false;
        return discardSealed(sessionId, parts);
      }),
    forget: (sessionId) => void runners.delete(sessionId),
  };
}
