/** Keeps the figures of all sessions: follows their changes, and writes each down when there is time. */
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { attempted, moved, noFigures, type SessionFigures } from "../core/session-figures.ts";
import type { Session } from "../core/session.ts";
import type { FigureStore } from "../core/store.ts";
import { addUnreadable, type UnreadableCounts } from "../core/unreadable.ts";

/** Hears of each change of a session, with what it made of the figures. */
export type OnMoved = (previous: Session, next: Session, figures: SessionFigures) => void;

export interface Figures {
  attempted(sessionId: string): void;
  moved(previous: Session, next: Session): void;
  unreadable(sessionId: string, counts: UnreadableCounts): void;
  of(sessionId: string): Promise<SessionFigures>;
  idle(): Promise<void>;
}

export function createFigures({
  store,
  clock,
  log,
  onMoved,
}: {
  store: FigureStore;
  clock: Clock;
  log: Log;
  onMoved: OnMoved;
}): Figures {
  const known = new Map<string, SessionFigures>();
  const work = new Map<string, Promise<void>>();

  async function read(sessionId: string): Promise<SessionFigures> {
    // What an earlier version did not count yet begins with nothing.
    const figures = known.get(sessionId) ?? { ...noFigures, ...(await store.get(sessionId)) };
    known.set(sessionId, figures);
    return figures;
  }

  function change(
    sessionId: string,
    apply: (figures: SessionFigures) => SessionFigures,
    then: (figures: SessionFigures) => void = () => undefined,
  ): void {
    const job = async (): Promise<void> => {
      const before = await read(sessionId);
      const after = apply(before);
      known.set(sessionId, after);
      then(after);
      if (after !== before) await store.save(sessionId, after);
    };
    const done = (work.get(sessionId) ?? Promise.resolve()).then(job).catch((cause: unknown) => {
      // Kept in memory, and written with the next change.
      log.debug({ sessionId, err: cause }, "session.figures_not_saved");
    });
    work.set(sessionId, done);
  }

  return {
    attempted: (sessionId) => {
      const now = clock.now().getTime();
      change(sessionId, (figures) => attempted(figures, now));
    },
    moved: (previous, next) => {
      const now = clock.now().getTime();
      change(
        next.sessionId,
        (figures) => moved(figures, { previous, next, now }),
        (figures) => onMoved(previous, next, figures),
      );
    },
    unreadable: (sessionId, counts) =>
      change(sessionId, (figures) => ({
        ...figures,
        unreadable: addUnreadable(figures.unreadable, counts),
      })),
    of: async (sessionId) => {
      await work.get(sessionId);
      return read(sessionId);
    },
    idle: async () => {
      await Promise.all(work.values());
    },
  };
}
