/** Sessions as a table: how they stand, and how their connections have done. */
import { numberOf, recordOf, recordsOf, textOf, type HubCalls, type Json } from "./hub-calls.ts";
import { moment, table } from "./show.ts";

/** All sessions, each with its `figures`. */
export async function sessionsWithFigures(hub: HubCalls): Promise<Json[]> {
  const [sessions, answer] = await Promise.all([
    hub.all("/api/sessions", "sessions"),
    hub.get("/api/figures"),
  ]);
  const figures = new Map(recordsOf(answer["figures"]).map((row) => [textOf(row["sessionId"]), row]));
  return sessions.map((session) => ({
    ...session,
    figures: figures.get(textOf(session["sessionId"])) ?? null,
  }));
}

type Columns = Parameters<typeof table>[1];

const of = (session: Json): Json => recordOf(session["figures"]);

/** `1.2 s`; of a session that was never connected nothing. */
const seconds = (ms: unknown): string => (typeof ms === "number" ? `${(ms / 1000).toFixed(1)} s` : "-");

function lasting(count: number): string {
  if (count < 120) return `${count} s`;
  return count < 7200 ? `${Math.round(count / 60)} min` : `${Math.round(count / 3600)} h`;
}

/** Times from the start of a connection, or from the scan where it was only ever linked. */
function connectTimes(session: Json): string {
  const [start, scan] = [
    recordOf(of(session)["startToConnectedMs"]),
    recordOf(of(session)["scanToConnectedMs"]),
  ];
  const { p50, p99 } = numberOf(start["count"]) > 0 ? start : scan;
  return `${seconds(p50)} / ${seconds(p99)}`;
}

/** How the connections have done: short, to stand beside other columns. */
export const FIGURE_COLUMNS: Columns = {
  "connects/tries": (session) => `${numberOf(of(session)["opened"])}/${numberOf(of(session)["attempts"])}`,
  reconnects: (session) => String(numberOf(of(session)["reconnects"])),
  "failing now": (session) => String(numberOf(of(session)["failedInARow"])),
  degraded: (session) => lasting(numberOf(of(session)["degradedSeconds"])),
  "to connect p50/p99": connectTimes,
  undecrypted: (session) => String(numberOf(recordOf(of(session)["unreadable"])["messages"])),
};

export const tableOfSessions = (sessions: Json[]): string =>
  table(sessions, {
    id: "id",
    session: "sessionId",
    name: "sessionName",
    status: "status",
    state: "state",
    phone: "phoneNumber",
    "last activity": (session) => moment(session["lastActivity"]),
    unread: "unreadCount",
    ...FIGURE_COLUMNS,
  });
