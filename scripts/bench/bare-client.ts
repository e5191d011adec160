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
  stop(): Promise<void>;
}

export async function startBare(
  emulator: SpawnedEmulator,
  { accounts, postTo }: { accounts: string[]; postTo?: string },
): Promise<BareProcess> {
  const child = fork(new URL("bare-baileys.ts", import.meta.url).pathname, {
    execArgv: [...emulator.preload, "--import", "tsx"],
    env: { PATH: process.env["PATH"], ...emulator.environment },
  });
  const counts = { open: 0, contacts: 0, chats: 0, messages: 0, received: 0, posted: 0 };
  const problems: string[] = [];
  const scanned = new Set<number>();
  let scannedAt = 0;

  const scan = (n: number, qr: string): void => {
    if (scanned.has(n)) return;
    scanned.add(n);
    scannedAt ||= performance.now();
    emulator.scanQr(qr, accounts[n]).catch((cause: unknown) => problems.push(String(cause)));
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
  const command: BareCommand = {
    webSocketUrl: emulator.wsUrl,
    sockets: accounts.length,
    ...(postTo === undefined ? {} : { postTo }),
  };
  child.send(command);
  await until(
    `${accounts.length} bare sockets open`,
    () => {
      if (problems.length > 0) throw new Error(`bare Baileys: ${problems.join("; ")}`);
      return counts.open >= accounts.length;
    },
    { timeoutMs: 120_000, everyMs: 2 },
  );
  return {
    pid: child.pid ?? 0,
    counts,
    scannedAt: () => scannedAt,
    stop: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
