/** One Baileys socket: its events become the session's signals, in order, and its end is told once. */
import type { Clock } from "../core/clock.ts";
import type { SessionSignal } from "../core/whatsapp.ts";
import { isPaired } from "./auth-state.ts";
import type { AuthenticationCreds, BaileysEventMap, WASocket } from "./baileys.ts";
import { codeOf, endOf, OWN_CODE } from "./disconnect.ts";
import type { Generation } from "./generation.ts";
import type { Journal } from "./journal.ts";
import type { RawSocket } from "./outgoing-gate.ts";
import { addressOf } from "./translate/addresses.ts";
import { userOf } from "../core/jid.ts";

const FIRST_QR_MS = 60_000;
const NEXT_QR_MS = 20_000;
/** Baileys waits for ever when the WebSocket is refused or nothing answers. */
const ANSWER_DEADLINE_MS = 25_000;
/** A terminated socket says so in the next turns; a stuck one is left to the garbage collector. */
const CLOSE_EVENT_MS = 1000;
const RESTART_REQUIRED = 515;

export interface LiveSocket {
  /** Ends it for a reason of ours; WhatsApp is not told. */
  end(code: number, detail: string): void;
  /** Ends it without a signal, and resolves when Baileys has let go of it. */
  close(): Promise<void>;
}

/** The WebSocket below Baileys' wrapper, which keeps it from its typings. */
export function rawSocketOf(socket: WASocket): RawSocket {
  const raw: unknown = Reflect.get(socket.ws, "socket");
  if (!isRawSocket(raw)) throw new Error("this version of Baileys hides its WebSocket elsewhere");
  return raw;
}

const isRawSocket = (value: unknown): value is RawSocket =>
  typeof value === "object" &&
  value !== null &&
  ["send", "terminate", "pause", "resume"].every(
    (method) => typeof Reflect.get(value, method) === "function",
  );

export function watchSocket({
  socket,
  creds,
  journal,
  generation,
  clock,
  answerMs = ANSWER_DEADLINE_MS,
  onSignal,
  onOpen,
  onEnding,
}: {
  socket: WASocket;
  creds: AuthenticationCreds;
  journal: Journal;
  generation: Generation;
  clock: Clock;
  answerMs?: number | undefined;
  onSignal: (signal: SessionSignal) => void;
  onOpen: () => void;
  /** The connection is gone; what still waits for company is to be written now. */
  onEnding: () => void;
}): LiveSocket {
  const raw = rawSocketOf(socket);
  let inOrder: Promise<void> = Promise.resolve();
  let isOver = false;
  let hadQr = false;
  let ending: { code: number; detail: string } | null = null;
  let letGo = (): void => {};
  const closed = new Promise<void>((resolve) => (letGo = resolve));
  // Baileys takes this listener away when it ends by itself; then its own word of the end says the same.
  socket.ws.on("close", () => letGo());

  const deadline = setTimeout(
    () => end(OWN_CODE.noAnswer, `no answer within ${answerMs / 1000} s`),
    answerMs,
  );

  /** Each signal waits for those before it, and for what it says to be on disk. */
  const tell = (signal: () => SessionSignal): void => {
    inOrder = inOrder.then(async () => {
      const isStored = await journal.flush().then(
        () => true,
        // Fenced: `onFence` below says why.
        () => false,
      );
      if (isStored && !isOver && !generation.isFenced()) onSignal(signal());
    });
  };

  const finish = (signal: SessionSignal | null): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(deadline);
    if (signal !== null) onSignal(signal);
  };

  function end(code: number, detail: string): void {
    ending ??= { code, detail };
    // The event of the closed WebSocket makes Baileys end, and rejects whoever waits for an answer.
    raw.terminate();
  }

  function onConnection(update: BaileysEventMap["connection.update"]): void {
    if (update.qr !== undefined) showQr(update.qr);
    if (update.connection === "open") {
      clearTimeout(deadline);
      onOpen();
      tell(opened);
    }
    if (update.connection === "close") {
      letGo();
      onClose(update.lastDisconnect?.error);
    }
  }

  function showQr(qr: string): void {
    clearTimeout(deadline);
    const expiresAt = new Date(clock.now().getTime() + (hadQr ? NEXT_QR_MS : FIRST_QR_MS));
    hadQr = true;
    tell(() => ({ type: "qr", qr, expiresAt }));
  }

  function opened(): SessionSignal {
    const { id = "", lid, name } = creds.me ?? {};
    return {
      type: "opened",
      phoneNumber: userOf(addressOf(id)),
      lid: lid ? addressOf(lid) : null,
      pushName: name ?? null,
    };
  }

  function onClose(error: Error | undefined): void {
    clearTimeout(deadline);
    onEnding();
    const { code, detail } = ending ?? { code: codeOf(error), detail: error?.message ?? "" };
    const until = ending === null ? endOf(error, clock.now()) : null;
    inOrder = inOrder.then(async () => {
      // What was received and can still be written is; a failure is told by `onFence`.
      await journal.flush().catch(() => undefined);
      const paired = isPaired(creds);
      finish(
        code === RESTART_REQUIRED
          ? { type: "restart_required" }
          : { type: "closed", code, detail, paired, until },
      );
      generation.fence(null);
    });
  }

  generation.onFence((cause) => {
    raw.terminate();
    if (cause !== null) finish({ type: "store_failed", cause });
  });
  socket.ev.on("connection.update", onConnection);
  socket.ws.on("unexpected-response", (_request: unknown, response: { statusCode?: number }) =>
    end(OWN_CODE.upgradeRefused, `HTTP ${response.statusCode ?? 0} on the WebSocket upgrade`),
  );

  return {
    end,
    close: async () => {
      finish(null);
      raw.terminate();
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_EVENT_MS).unref());
      // Ended by its close event, Baileys also lets go of everybody who waits for an answer.
      await Promise.race([closed, timeout]);
      await Promise.race([socket.end(undefined), timeout]);
    },
  };
}
