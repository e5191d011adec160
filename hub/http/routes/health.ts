/** Whether the hub lives, and whether it can work. */
import { z } from "zod";
import { isOpen } from "../../core/session-state.ts";
import { flat, plain } from "../answer.ts";
import { readiness } from "../readiness.ts";
import { openRoute, type Route } from "../route.ts";

const healthSchema = z
  .object({
    success: z.literal(true),
    status: z.literal("ok"),
    message: z.string(),
    timestamp: z.iso.datetime(),
    version: z.string(),
    environment: z.string(),
    sessions: z.int(),
    connected: z.boolean().describe("At least one session is connected"),
  })
  .meta({ id: "Health" });

const checksSchema = z.object({
  store: z.boolean(),
  disk: z.boolean().describe("The data folder can be written to, and has room"),
  files: z.boolean().describe("The process may open further files and connections"),
  sessions: z.boolean(),
  outbox: z.boolean(),
  load: z.boolean().describe("The process keeps up with its work"),
});

export const healthRoutes: Route[] = [
  openRoute({
    method: "get",
    path: "/health",
    summary: "Alive, and whether a session is connected",
    scope: "open",
    contract: true,
    envelope: false,
    response: healthSchema,
    handle: async (_input, { sessions, clock, version, environment }) => {
      const all = await sessions.list().catch(() => []); // alive is alive, also while the disk is not
      const about = {
        message: "Inbox Hub is running",
        timestamp: clock.now().toISOString(),
        version,
        environment,
      };
      const connected = all.some(({ state }) => isOpen(state));
      return flat({ success: true, status: "ok", ...about, sessions: all.length, connected });
    },
  }),
  openRoute({
    method: "get",
    path: "/livez",
    summary: "The process answers",
    scope: "open",
    envelope: false,
    response: z.object({ success: z.literal(true) }),
    handle: () => flat({ success: true }),
  }),
  openRoute({
    method: "get",
    path: "/readyz",
    summary: "Everything the hub needs works; 503 while it does not",
    scope: "local or read",
    envelope: false,
    response: z.object({ ready: z.boolean(), checks: checksSchema }),
    handle: async (_input, ctx) => {
      const state = await readiness(ctx);
      return flat(state, state.ready ? 200 : 503);
    },
  }),
  openRoute({
    method: "get",
    path: "/metrics",
    summary: "Figures for Prometheus",
    scope: "local or read",
    envelope: false,
    response: "bytes",
    handle: async (_input, { metrics }) => {
      const { type, text } = await metrics.scrape();
      return plain(text, type);
    },
  }),
];
