/** Starts the bare Baileys process, scans its QR codes with the emulator's phones, and counts what it reports. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { SpawnedEmulator } from "../../test/whatsapp/spawn.ts";
import { until } from "../../test/support/until.ts";
import type { BareCommand, BareEvent } from "./bare-protocol.ts";

export interface BareProcess {
  pid: number;
  /** Reported so far. */
  counts: {
    open: number;
    contacts: number;
    chats: number;
    messages: number;
    received: number;
    posted: number;
  };
  /** When the first code was scanned, by `performance.now()`. */
  scannedAt(): number;
  /** One more account, in the same process; milliseconds from its scan until it was open. */
  link(account: string): Promise<number>;
  /** SIGTERM keeps the logins, where there is a file for them. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export async function startBare(
  emulator: SpawnedEmulator,
  { accounts, postTo, loginsFile }: { accounts: string[]; postTo?: string; loginsFile?: string },
): Promise<BareProcess> {
  const child = fork(new URL("bare-baileys.ts", import.meta.url).pathname, {
    execArgv: [...emulator.preload, "--import", "tsx"],
    env: { PATH: process.env["PATH"], ...emulator.environment },
  });
  const counts = { open: 0, contacts: 0, chats: 0, messages: 0, received: 0, posted: 0 };
  const problems: string[] = [];
  const known = [...accounts];
  const scanned = new Map<number, number>();

  const scan = (n: number, qr: string): void => {
    if (scanned.has(n)) return;
    scanned.set(n, performance.now());
    emulator.scanQr(qr, known[n]).catch((cause: unknown) => problems.push(String(cause)));
  };
  child.on("message", (event: BareEvent) => {
    switch (event.type) {
      case "qr":
        scan(event.n, event.qr);
        break;
      case "open":
        counts.open += 1;
        break;
      case "failed":
        problems.push(event.error);
        break;
      case "history":
        counts.contacts += event.contacts;
        counts.chats += event.chats;
        counts.messages += event.messages;
        break;
      case "message":
        counts.received += 1;
        break;
      case "posted":
        counts.posted += 1;
        break;
    }
  });
  const open = (sockets: number): Promise<boolean> => {
    const expected = counts.open + sockets;
    const command: BareCommand = {
      webSocketUrl: emulator.wsUrl,
      sockets,
      ...(postTo === undefined ? {} : { postTo }),
      ...(loginsFile === undefined ? {} : { loginsFile }),
    };
    child.send(command);
    return until(
      `${expected} bare sockets open`,
      () => {
        if (problems.length > 0) throw new Error(`bare Baileys: ${problems.join("; ")}`);
        return counts.open >= expected;
      },
      { timeoutMs: 120_000, everyMs: 2 },
    );
  };
  await open(accounts.length);
  return {
    pid: child.pid ?? 0,
    counts,
    scannedAt: () => Math.min(...scanned.values()),
    link: async (account) => {
      const n = known.push(account) - 1;
      await open(1);
      return performance.now() - (scanned.get(n) ?? NaN);
    },
    stop: async (signal = "SIGKILL") => {
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
  };
}
