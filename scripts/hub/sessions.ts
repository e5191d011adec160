/** `sessions`: all accounts and how their connections have done; with a name, one of them and what happened to it. */
import type { Command } from "commander";
import type { Bench } from "./desk.ts";
import { recordOf, recordsOf, type Json } from "./hub-calls.ts";
import { sessionsWithFigures, tableOfSessions } from "./session-table.ts";
import { cell, lines, moment, table } from "./show.ts";

export function addSessions(program: Command, bench: Bench): void {
  program
    .command("sessions")
    .description("all sessions and how their connections have done; with a name, that one and its timeline")
    .argument("[session]", "name or number of a session")
    .action(async (id: string | undefined) => {
      const hub = bench.hub();
      if (id === undefined) {
        const sessions = await sessionsWithFigures(hub);
        bench.show({
          data: { sessions },
          text: sessions.length === 0 ? "No sessions." : tableOfSessions(sessions),
        });
        return;
      }
      const path = `/api/sessions/${encodeURIComponent(id)}`;
      const session: Json = { ...(await hub.get(path)), figures: await hub.get(`${path}/figures`) };
      const entries = recordsOf((await hub.get(`${path}/timeline?limit=30`))["entries"]);
      bench.show({
        data: { session, entries },
        text: lines(
          tableOfSessions([session]),
          "",
          reasonOf(session),
          restrictionOf(session),
          pastOf(entries),
        ),
      });
    });
}

function reasonOf(session: Json): string | null {
  const { text, advice } = recordOf(session["reason"]);
  return text === undefined ? null : `${cell(text)}\n→ ${cell(advice)}\n`;
}

/** Until when strangers are not written to: as WhatsApp says, or unknown. */
function restrictionOf(session: Json): string | null {
  const restricted = recordOf(recordOf(session["sending"])["restricted"]);
  const { until, heldUntil } = restricted;
  if (heldUntil === undefined) return null;
  return until === null
    ? `Restricted until unknown: WhatsApp does not say. What waits for strangers is tried again after ${moment(heldUntil)} (UTC).\n`
    : `Restricted until ${moment(until)} (UTC).\n`;
}

const pastOf = (entries: Json[]): string =>
  table(entries, {
    when: (entry) => moment(entry["at"]),
    what: "type",
    code: "reason",
    text: "text",
  });
