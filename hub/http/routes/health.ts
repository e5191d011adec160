/** Whether the hub lives, and whether it can work. */
import { z } from "zod";
import { safekeepingSchema } from "../../contract/session-standing.ts";
import { isOpen } from "../../core/session-state.ts";
import { CAN_WAIT } from "../../core/pressure.ts";
import { flat, ok, plain } from "../answer.ts";
import { readiness } from "../readiness.ts";
import { openRoute, route, type Route } from "../route.ts";
import { shownSafekeeping } from "../safekeeping.ts";

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
    overloaded: z.boolean().describe("The hub does not keep up with its work just now"),
    putOff: z.array(z.enum(CAN_WAIT)).describe("What waits meanwhile, so that messages do not"),
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
    handle: async (_input, { sessions, pressure, clock, version, environment }) => {
      const all = await sessions.list().catch(() => []); // alive is alive, also while the disk is not
      const about = {
        message: "Inbox Hub is running",
        timestamp: clock.now().toISOString(),
        version,
        environment,
      };
      const connected = all.some(({ state }) => isOpen(state));
      const overloaded = pressure.isHigh();
      const load = { overloaded, putOff: overloaded ? CAN_WAIT : [] };
      return flat({ success: true, status: "ok", ...about, sessions: all.length, connected, ...load });
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
  route({
    method: "get",
    path: "/api/safekeeping",
    summary: "When backups were last made and tried out, and when either last went wrong",
    scope: "read",
    response: safekeepingSchema,
    handle: async (_input, ctx) => ok(await shownSafekeeping(ctx)),
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
