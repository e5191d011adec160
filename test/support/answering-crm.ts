/** Any other CRM as a bare server: what it takes is kept, and it answers as a test says. */
import type { RequestListener } from "node:http";
import { onTestFinished } from "vitest";
import { openHttpAdapter, type HttpCrmConfig } from "../../bridge/adapters/http/http-adapter.ts";
import { systemClock, type Clock } from "../../bridge/clock.ts";
import { createLog } from "../../bridge/log.ts";
import { serveFile } from "./file-server.ts";

export interface Taken {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  raw: string;
  body: Record<string, unknown>;
}
export type Reply =
  { status: number; body?: unknown; headers?: Record<string, string> } | "broken" | "silent";

/** A CRM that answers each request as `reply` says, once it has taken it. */
export async function openCrm(
  reply: (taken: Taken) => Reply,
  config: Partial<HttpCrmConfig> = {},
  clock: Clock = systemClock,
) {
  const taken: Taken[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      // What the adapter sends is an object.
      const body = raw === "" ? {} : (JSON.parse(raw) as Record<string, unknown>);
      const one = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        raw,
        body,
      };
      taken.push(one);
      const answer = reply(one);
      if (answer === "silent") return;
      if (answer === "broken") {
        request.socket.destroy();
        return;
      }
      response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {}));
    });
  };
  const server = await serveFile(listener);
  const adapter = openHttpAdapter({ url: server.url, ...config }, { clock, log: createLog("silent") });
  onTestFinished(async () => {
    await adapter.close();
    await server.close();
  });
  return { adapter, taken, server };
}

export const batch = <T>(items: T[]) => ({ sessionId: "s1", position: 1, items });
export const itemsOf = ({ body }: Taken): Record<string, unknown>[] =>
  Array.isArray(body["items"]) ? (body["items"] as Record<string, unknown>[]) : [];
export const keyOf = (item: Record<string, unknown>): string =>
  "messageId" in item
    ? `s1|${String(item["chatId"])}|${String(item["messageId"])}${"fromMe" in item ? `|${String(item["fromMe"])}` : ""}`
    : `s1|${String(item["chatId"] ?? item["id"])}`;
export const good = (taken: Taken): Reply => ({
  status: 200,
  body: {
    outcome: "created",
    contacts: 0,
    chats: 0,
    messages: 0,
    digests: [],
    clients: [],
    results: itemsOf(taken).map((item) => ({ key: keyOf(item), outcome: "created" })),
  },
});
