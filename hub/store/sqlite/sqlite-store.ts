/** The SQLite engine of the store: opens one file (or memory) and puts the ports together. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { Store } from "../../core/store.ts";
import { createAuditLog } from "./audit.ts";
import { createAuthStore } from "./auth.ts";
import { call, inStoreWords } from "./calls.ts";
import { openConnection, type Db } from "./connection.ts";
import { createEndpointStore } from "./endpoints.ts";
import { createEngine } from "./engine.ts";
import { createErasure } from "./erasure.ts";
import { createEventLog } from "./event-log.ts";
import { createEventStore } from "./events.ts";
import { createFeedFloor } from "./feed-floor.ts";
import { createAddresses } from "./inbox/addresses.ts";
import { createChats } from "./inbox/chats.ts";
import { createContacts } from "./inbox/contacts.ts";
import { createEarlyChanges } from "./inbox/early-changes.ts";
import { createGroups } from "./inbox/groups.ts";
import { createImports } from "./inbox/imports.ts";
import { createInboxStore } from "./inbox/inbox-store.ts";
import { createLidMerge } from "./inbox/lid-merge.ts";
import { createMessages } from "./inbox/messages.ts";
import { createRecordGroups } from "./inbox/record-groups.ts";
import { createRecordMessages } from "./inbox/record-messages.ts";
import { createRecordPeople } from "./inbox/record-people.ts";
import { createRecorder } from "./inbox/record.ts";
import { createRemoveMessages } from "./inbox/removal.ts";
import { createStats } from "./inbox/stats.ts";
import { createTell } from "./inbox/work.ts";
import { createFigureStore, createMarkStore } from "./figures.ts";
import { createIntake } from "./intake.ts";
import { createKeyStore } from "./keys.ts";
import { createLetterStore } from "./letters.ts";
import { createLookUpStore } from "./look-ups.ts";
import { createMediaRows, createMediaStore } from "./media.ts";
import { followClock } from "./outbox/clock-set-back.ts";
import { createOutboxStore } from "./outbox/outbox-store.ts";
import { createRestored } from "./restored.ts";
import { giveBack } from "./give-back.ts";
import { createRetention } from "./retention.ts";
import { createSendStore } from "./sends.ts";
import { createSessionStore } from "./sessions.ts";
import { createTrace } from "./trace.ts";
import { createUserStore } from "./users.ts";
import { createVaultStore } from "./vault.ts";

export interface SqliteStoreOptions {
  /** Path of the database, or ":memory:". */
  file: string;
  /** Base of short media URLs, which event bodies carry. */
  publicUrl: string;
  clock: Clock;
  /** The clock was set back since the last opening, by so much; what was planned by it was brought forward. */
  onSetBack?: (backMs: number) => void;
}

export function openSqliteStore({ file, publicUrl, clock, onSetBack }: SqliteStoreOptions): Promise<Store> {
  return call(() => {
    const db = openConnection(file);
    const meta = createMeta(db);
    const backMs = db.transaction(() => followClock(db, meta, clock.now().getTime()))();
    if (backMs > 0) onSetBack?.(backMs);
    const engine = createEngine({ db, clock, publicUrl, life: meta.nextLife() });
    const log = createEventLog(engine);
    const audit = createAuditLog(engine);
    audit.enterBrokenOff();
    const intake = createIntake(engine);
    const addresses = createAddresses(engine);
    const chats = createChats(engine);
    const contacts = createContacts(engine);
    const groups = createGroups(engine);
    const messages = createMessages(engine, addresses, chats);
    const early = createEarlyChanges(engine);
    const imports = createImports(engine);
    const stats = createStats(engine, imports);
    const media = createMediaRows(engine);
    const mergeLid = createLidMerge(engine, { chats, contacts, early });
    const tell = createTell(engine, log);
    const floor = createFeedFloor(meta);
    const retention = createRetention(engine, floor);
    const removeMessages = createRemoveMessages(engine);
    const recorder = createRecorder({
      ...createRecordPeople({ tell, addresses, chats, contacts, imports, stats, mergeLid }),
      ...createRecordGroups({ tell, addresses, chats, contacts, groups }),
      ...createRecordMessages({ tell, addresses, messages, early, media }),
    });
    const store: Store = {
      sessions: createSessionStore(engine, log),
      auth: createAuthStore(engine, intake),
      intake: intake.port,
      inbox: createInboxStore(engine, {
        recorder,
        intake,
        addresses,
        chats,
        contacts,
        messages,
        stats,
        tell,
        removeMessages,
      }),
      lookUps: createLookUpStore(engine, { addresses }),
      erasure: createErasure(engine, { addresses, removeMessages }),
      sends: createSendStore(engine, recorder, messages),
      media: createMediaStore(engine, messages),
      events: { ...createEventStore(engine, log, floor), forget: retention.forget },
      endpoints: createEndpointStore(engine, audit),
      outbox: { ...createOutboxStore(engine, log), forgetAttempts: retention.forgetAttempts },
      trace: createTrace(engine, { addresses }),
      keys: createKeyStore(engine, audit),
      users: createUserStore(engine, audit),
      audit: audit.port,
      figures: createFigureStore(engine),
      marks: createMarkStore(engine),
      letters: createLetterStore(engine),
      vault: createVaultStore(engine),
      giveBack: call((pages) => giveBack(db, pages)),
      canary: call(() => {
        meta.write("canary", String(clock.now().getTime()));
      }),
      ...createRestored(engine, meta),
      copyInto: async (target) => {
        // In steps, with a turn for everybody else in between; what is written meanwhile is in the copy as well.
        await db.backup(target).catch((cause: unknown) =>
          inStoreWords(() => {
            throw cause;
          }),
        );
      },
      identity: call(() => ({ hubId: meta.read("hub_id"), epoch: Number(meta.read("epoch")) })),
      close: call(() => {
        if (!db.open) return;
        db.pragma("wal_checkpoint(TRUNCATE)");
        db.close();
      }),
    };
    return store;
  })();
}

interface Meta {
  read(key: string): string;
  write(key: string, value: string): void;
  /** Counts how often the file was opened. */
  nextLife(): number;
}

/** Facts about the database itself. The first opening gives it its identity. */
function createMeta(db: Db): Meta {
  const read = db.prepare<[string], { value: string }>("SELECT value FROM meta WHERE key = ?");
  const write = db.prepare(
    "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
  );
  const first = db.prepare("INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO NOTHING");
  inStoreWords(
    db.transaction(() => {
      first.run("hub_id", randomUUID());
      first.run("epoch", "1");
      first.run("life", "0");
    }),
  );
  const meta: Meta = {
    read: (key) => read.get(key)?.value ?? "",
    write: (key, value) => {
      write.run(key, value);
    },
    nextLife: () => {
      const life = Number(meta.read("life")) + 1;
      meta.write("life", String(life));
      return life;
    },
  };
  return meta;
}
