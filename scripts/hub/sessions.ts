/** `sessions`: all accounts; with a name, one of them and what happened to it. */
import type { Command } from "commander";
import type { Bench } from "./desk.ts";
import { recordOf, recordsOf, type Json } from "./hub-calls.ts";
import { cell, lines, moment, table } from "./show.ts";

export function addSessions(program: Command, bench: Bench): void {
  program
    .command("sessions")
    .description("all sessions; with a name, that one and its timeline")
    .argument("[session]", "name or number of a session")
    .action(async (id: string | undefined) => {
      const hub = bench.hub();
      if (id === undefined) {
        const sessions = await hub.all("/api/sessions", "sessions");
        bench.show({ data: { sessions }, text: sessions.length === 0 ? "No sessions." : listOf(sessions) });
        return;
      }
      const path = `/api/sessions/${encodeURIComponent(id)}`;
      const session = await hub.get(path);
      const entries = recordsOf((await hub.get(`${path}/timeline?limit=30`))["entries"]);
      bench.show({
        data: { session, entries },
        text: lines(listOf([session]), "", reasonOf(session), pastOf(entries)),
      });
    });
}

const listOf = (sessions: Json[]): string =>
  table(sessions, {
    id: "id",
    session: "sessionId",
    name: "sessionName",
    status: "status",
    state: "state",
    phone: "phoneNumber",
    "last activity": (session) => moment(session["lastActivity"]),
    unread: "unreadCount",
  });

function reasonOf(session: Json): string | null {
  const { text, advice } = recordOf(session["reason"]);
  return text === undefined ? null : `${cell(text)}\n→ ${cell(advice)}\n`;
}

const pastOf = (entries: Json[]): string =>
  table(entries, {
    when: (entry) => moment(entry["at"]),
    what: "type",
    code: "reason",
    text: "text",
  });
