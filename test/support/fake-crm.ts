/**
 * A CRM on a real port: checks signatures with its own code, stores what it accepts once, counts what came twice or out
 * of order, and answers badly on demand.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { give, isGood, type CrmAnswer } from "./crm-faults.ts";
import { signatureFault } from "./crm-signature.ts";

/** One request as it arrived. */
export interface CrmRequest {
  webhookId: string;
  seq: number;
  event: string;
  sessionId: string;
  /** Null for events of a session. */
  chatId: string | null;
  messageId: string | null;
  attempt: number;
  replay: boolean;
  headers: IncomingMessage["headers"];
  body: string;
  data: Record<string, unknown>;
  /** What is wrong with its signatures, or null. */
  fault: string | null;
  /** It was answered so that the hub has to count it as delivered. */
  accepted: boolean;
  at: number;
}

export interface CrmCounts {
  requests: number;
  /** Different events accepted. */
  unique: number;
  /** Accepted again although they were accepted before; replays on demand are left out. */
  duplicated: number;
  /** First accepted after a later event of the same chat; replays are left out. */
  outOfOrder: number;
  badSignatures: number;
}

export interface FakeCrm {
  url: string;
  port: number;
  /** Every request, in order of arrival. */
  requests(): CrmRequest[];
  /** Events accepted, each once, in the order they were first accepted. */
  accepted(): CrmRequest[];
  /** `data.message` of each accepted `message.received`. */
  messages(): Record<string, unknown>[];
  counts(): CrmCounts;
  /** How requests are answered from now on; a function decides for each. Without an argument: well. */
  answers(how?: CrmAnswer | ((request: CrmRequest) => CrmAnswer)): void;
  /** The next requests are answered so, one each. */
  answersNext(...answers: CrmAnswer[]): void;
  /** Its secret from now on. */
  expects(secret: string): void;
  /** Connections are refused. */
  goesDown(): Promise<void>;
  comesBack(): Promise<void>;
  /** Connections opened since the start. */
  connections(): number;
  stop(): Promise<void>;
}

const GOOD: CrmAnswer = { kind: "answer" };

export async function startFakeCrm({
  secret,
  port: wishedPort = 0,
  keepRequests = true,
  now = () => new Date(),
}: {
  secret: string;
  port?: number;
  /** False for long runs: only counts are kept. */
  keepRequests?: boolean;
  /** Its clock, which signatures are checked by. */
  now?: () => Date;
}): Promise<FakeCrm> {
  const sockets = new Set<Socket>();
  let expected = secret;
  let how: (request: CrmRequest) => CrmAnswer = () => GOOD;
  let queue: CrmAnswer[] = [];
  let connections = 0;
  let requests: CrmRequest[] = [];
  const stored = new Map<string, CrmRequest>();
  const latest = new Map<string, number>();
  const counts: CrmCounts = { requests: 0, unique: 0, duplicated: 0, outOfOrder: 0, badSignatures: 0 };

  const count = (request: CrmRequest): void => {
    counts.requests += 1;
    if (request.fault !== null) counts.badSignatures += 1;
    if (keepRequests) requests.push(request);
    if (!request.accepted) return;
    if (stored.has(request.webhookId)) {
      if (!request.replay) counts.duplicated += 1;
      return;
    }
    stored.set(request.webhookId, keepRequests ? request : { ...request, body: "", data: {}, headers: {} });
    counts.unique += 1;
    const lane = `${request.sessionId}|${request.chatId ?? "*"}`;
    const before = latest.get(lane) ?? 0;
    if (request.seq < before && !request.replay) counts.outOfOrder += 1;
    latest.set(lane, Math.max(before, request.seq));
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(incoming, "end");
    const body = Buffer.concat(chunks);
    const fault = signatureFault(incoming.headers, body, expected, now());
    const request = read(incoming, body.toString("utf8"), fault);
    const answer: CrmAnswer =
      fault === null ? (queue.shift() ?? how(request)) : { kind: "answer", status: 401 };
    request.accepted = isGood(answer);
    count(request);
    await give(answer, incoming, response);
  };

  const server: Server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined); // the other side may go at any time
  });
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        const address: AddressInfo | string | null = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const port = await listen(wishedPort);

  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    requests: () => requests,
    accepted: () => [...stored.values()],
    messages: () =>
      [...stored.values()].flatMap(({ event, data }) =>
        event === "message.received" && isRecord(data["message"]) ? [data["message"]] : [],
      ),
    counts: () => ({ ...counts }),
    answers: (wish = GOOD) => {
      how = typeof wish === "function" ? wish : () => wish;
    },
    answersNext: (...answers) => {
      queue = [...queue, ...answers];
    },
    expects: (another) => {
      expected = another;
    },
    goesDown: close,
    comesBack: async () => {
      await listen(port);
    },
    connections: () => connections,
    stop: async () => {
      requests = [];
      if (server.listening) await close();
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function read({ headers }: IncomingMessage, body: string, fault: string | null): CrmRequest {
  const event: unknown = JSON.parse(body);
  const data = isRecord(event) && isRecord(event["data"]) ? event["data"] : {};
  const message = isRecord(data["message"]) ? data["message"] : {};
  const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
  return {
    webhookId: String(headers["webhook-id"]),
    seq: Number(headers["x-webhook-seq"]),
    event: String(headers["x-webhook-event"]),
    sessionId: String(headers["x-webhook-session"]),
    chatId: text(data["chatId"]) ?? text(message["chatId"]) ?? text(data["groupId"]),
    messageId: text(data["messageId"]) ?? text(message["messageId"]),
    attempt: Number(headers["x-webhook-attempt"]),
    replay: headers["x-webhook-replay"] === "1",
    headers,
    body,
    data,
    fault,
    accepted: false,
    at: Date.now(),
  };
}
