/**
 * The floor: stock Baileys and nothing else, as a process of its own. Keys lie in memory, which costs least and loses most.
 * Told what to do over the IPC channel by `bare-client.ts`; posts each new message if it was given a URL, as a naive hub would.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request, Agent } from "node:http";
import { deserialize, serialize } from "node:v8";
import {
  addTransactionCapability,
  initAuthCreds,
  makeWASocket,
  type AuthenticationCreds,
  type SignalKeyStore,
} from "@whiskeysockets/baileys";
import { pino } from "pino";
import type { BareCommand, BareEvent } from "./bare-protocol.ts";

const logger = pino({ level: "silent" });
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
for (const method of ["info", "warn", "error"] as const) console[method] = () => undefined; // libsignal prints keys

const tell = (event: BareEvent): void => void process.send?.(event);

interface Login {
  creds: AuthenticationCreds;
  keys: Map<string, unknown>;
}

function memoryKeys(values: Map<string, unknown>): SignalKeyStore {
  return {
    get: async (type, ids) => {
      const found: Record<string, never> = {};
      for (const id of ids) {
        const value = values.get(`${type}/${id}`);
        if (value !== undefined) found[id] = value as never; // the library's own value comes back
      }
      return Promise.resolve(found);
    },
    set: async (data) => {
      for (const [type, entries] of Object.entries(data))
        for (const [id, value] of Object.entries(entries))
          if (value === null) values.delete(`${type}/${id}`);
          else values.set(`${type}/${id}`, value);
      return Promise.resolve();
    },
  };
}

function post(url: string, body: string): void {
  const call = request(url, {
    method: "POST",
    agent,
    headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
  });
  call.on("response", (response) => {
    response.resume();
    response.on("end", () => tell({ type: "posted" }));
  });
  call.end(body);
}

function connect(n: number, options: BareCommand, login: Login): void {
  const { creds } = login;
  const keys = memoryKeys(login.keys);
  const socket = makeWASocket({
    waWebSocketUrl: options.webSocketUrl,
    auth: {
      creds,
      keys: addTransactionCapability(keys, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 10 }),
    },
    logger,
    syncFullHistory: false,
    markOnlineOnConnect: false,
    retryRequestDelayMs: 0,
  });
  socket.ev.on("creds.update", (update) => void Object.assign(creds, update));
  socket.ev.on("connection.update", ({ connection, qr, lastDisconnect }) => {
    if (qr !== undefined) tell({ type: "qr", n, qr });
    if (connection === "open") tell({ type: "open", n });
    if (connection === "close" && creds.account)
      connect(n, options, login); // 515 after the scan
    else if (connection === "close")
      tell({ type: "failed", n, error: String(lastDisconnect?.error?.message) });
  });
  socket.ev.on("messaging-history.set", ({ contacts, chats, messages }) =>
    tell({ type: "history", n, contacts: contacts.length, chats: chats.length, messages: messages.length }),
  );
  socket.ev.on("messages.upsert", ({ messages }) => {
    for (const message of messages) {
      if (message.key.fromMe) continue;
      tell({ type: "message", n });
      if (options.postTo !== undefined) post(options.postTo, JSON.stringify(message));
    }
  });
}

const logins: Login[] = [];

process.on("message", (command: BareCommand) => {
  const { sockets, loginsFile } = command;
  const known =
    loginsFile !== undefined && existsSync(loginsFile)
      ? (deserialize(readFileSync(loginsFile)) as Login[]) // written below
      : [];
  for (let n = 0; n < sockets; n++) {
    const login = known[n] ?? { creds: initAuthCreds(), keys: new Map() };
    connect(logins.push(login) - 1, command, login);
  }
  if (loginsFile === undefined) return;
  process.once("SIGTERM", () => {
    writeFileSync(loginsFile, serialize(logins));
    process.exit(0);
  });
});
process.on("unhandledRejection", () => undefined); // a reset socket rejects inside Baileys
