/** `fix-session <id>`: looks at what is wrong with one account, says what helps and, with `--yes`, does it. */
import type { Command } from "commander";
import type { Bench } from "./desk.ts";
import { planFix, type FixAct, type FixPlan, type FixSubject } from "./fix-plan.ts";
import { recordOf, recordsOf, textOf, type HubCalls, type Json } from "./hub-calls.ts";
import { cell, lines, table } from "./show.ts";

/** So far back an order still counts as tried. */
const RECENT_MS = 30 * 60_000;

export function addFixSession(program: Command, bench: Bench): void {
  program
    .command("fix-session")
    .description("says what is wrong with a session and what helps; with --yes does it")
    .argument("<session>", "name or number of the session")
    .option("--yes", "do it", false)
    .option(
      "--undo [quarantine]",
      "bring back the login that the last cleanup put aside, or the one named",
      false,
    )
    .action(async (id: string, options: { yes: boolean; undo: boolean | string }) => {
      const hub = bench.hub();
      const path = `/api/sessions/${encodeURIComponent(id)}`;
      if (options.undo !== false) {
        const named = options.undo === true ? {} : { quarantineId: options.undo };
        const after = await hub.send("POST", `${path}/force-cleanup/undo`, named);
        const { logins } = await hub.get(`${path}/force-cleanup`);
        bench.show({
          data: { done: after, putAway: logins },
          text: lines(
            `The login is back. Now: ${cell(after["state"])}.`,
            ...recordsOf(logins).map(textOfPutAway),
          ),
        });
        return;
      }
      const { session, subject } = await examine(hub, path, bench.desk.now());
      const plan = planFix(subject);
      const about = { session: textOf(session["sessionId"]), state: subject.state, plan };
      if (!isOrder(plan.act) || !options.yes) {
        bench.show({
          data: { ...about, done: null },
          text: textOfPlan(about, plan),
          isProblem: plan.act !== "fine",
        });
        return;
      }
      const done = await carryOut(plan.act, hub, path);
      const after = recordOf(done["session"] ?? done);
      const isWell =
        after["status"] === "connected" || after["status"] === "connecting" || after["status"] === "qr_code";
      bench.show({
        data: { ...about, done },
        text: lines(textOfPlan(about, plan, true), "", textOfResult(done, after)),
        isProblem: !isWell,
      });
    });
}

const textOfPutAway = ({ quarantineId, reason, undoUntil }: Json): string =>
  `Put away: ${cell(quarantineId)}, ${cell(reason)}, ${
    undoUntil === null
      ? "cannot be brought back"
      : `until ${cell(undoUntil)} with --undo ${cell(quarantineId)}`
  }.`;

type Order = Exclude<FixAct, "fine" | "wait" | "person">;
const isOrder = (act: FixAct): act is Order => act !== "fine" && act !== "wait" && act !== "person";

async function examine(
  hub: HubCalls,
  path: string,
  now: Date,
): Promise<{ session: Json; subject: FixSubject }> {
  const [session, timeline] = await Promise.all([hub.get(path), hub.get(`${path}/timeline?limit=100`)]);
  const entries = recordsOf(timeline["entries"]).map((entry) => ({
    agoMs: now.getTime() - Date.parse(textOf(entry["at"])),
    type: textOf(entry["type"]),
    text: textOf(entry["text"]),
  }));
  const state = textOf(session["state"]);
  const { code, text, blame, advice } = recordOf(session["reason"]);
  const words = { code: textOf(code), text: textOf(text), blame: textOf(blame), advice: textOf(advice) };
  // Where the state stays, later lines only add to it: the oldest of the run is when it began.
  const changes = entries.filter(({ type }) => type !== "order");
  const other = changes.findIndex(({ type }) => type !== state);
  const since = changes[(other === -1 ? changes.length : other) - 1];
  return {
    session,
    subject: {
      state,
      reason: text === undefined ? null : words,
      forMs: since?.agoMs ?? 0,
      tried: entries
        .filter(({ type, agoMs }) => type === "order" && agoMs < RECENT_MS)
        .map((entry) => entry.text),
    },
  };
}

function carryOut(act: Order, hub: HubCalls, path: string): Promise<Json> {
  switch (act) {
    case "connect":
    case "restart":
      return hub.send("POST", `${path}/${act}`);
    case "soft":
    case "quarantine":
      return hub.send("POST", `${path}/force-cleanup`, { mode: act });
  }
}

function textOfPlan(
  { session, state }: { session: string; state: string },
  plan: FixPlan,
  isDone = false,
): string {
  return lines(
    `${session} is ${state}. ${plan.why}`,
    `→ ${isOrder(plan.act) ? `${plan.act}: ` : ""}${plan.then}`,
    isOrder(plan.act) && !isDone ? `\nTo do it: npm run hub -- fix-session ${session} --yes` : null,
  );
}

function textOfResult(done: Json, after: Json): string {
  const steps = recordsOf(done["steps"]);
  const { quarantineId } = done;
  return lines(
    steps.length === 0
      ? null
      : table(steps, { step: "name", ok: "ok", ms: "ms", error: (step) => cell(step["error"]) }),
    typeof quarantineId === "string"
      ? `The login lies in quarantine ${quarantineId}, until ${cell(done["undoUntil"])}.`
      : null,
    `Now: ${cell(after["state"])}.${after["status"] === "qr_code" ? " Scan the code: GET /api/sessions/…/qr, or your CRM's screen." : ""}`,
  );
}
