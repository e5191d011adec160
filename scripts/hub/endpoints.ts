/** `endpoints`: receivers of webhooks, listed, and tried hop by hop. */
import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { recordsOf, textOf, type HubCalls, type Json } from "./hub-calls.ts";
import { cell, lines, moment, table } from "./show.ts";

export function addEndpoints(program: Command, bench: Bench): void {
  const endpoints = program.command("endpoints").description("receivers of webhooks");
  endpoints
    .command("list", { isDefault: true })
    .description("all endpoints, and how they fare")
    .action(async () => {
      const rows = await bench.hub().all("/api/endpoints", "endpoints");
      const isProblem = rows.some((row) => row["state"] === "failing");
      bench.show({
        data: { endpoints: rows },
        text: rows.length === 0 ? "No endpoints." : listOf(rows),
        isProblem,
      });
    });
  endpoints
    .command("test")
    .description("sends a test event to one endpoint, or to all, and tells how far it got")
    .argument("[id]", "ep_…; left out: all of them")
    .action(async (id: string | undefined) => {
      const hub = bench.hub();
      const all = await hub.all("/api/endpoints", "endpoints");
      const meant = id === undefined ? all : all.filter((row) => row["id"] === id);
      if (id !== undefined && meant.length === 0) throw new CommandError(`There is no endpoint ${id}.`);
      const trials = [];
      for (const endpoint of meant) trials.push(await tryEndpoint(hub, endpoint));
      bench.show({
        data: { tests: trials },
        text: trials.length === 0 ? "No endpoints." : trials.map(textOfTrial).join("\n\n"),
        isProblem: trials.some(({ ok }) => !ok),
      });
    });
}

export interface Trial {
  id: string;
  url: string;
  ok: boolean;
  hops: Json[];
}

export async function tryEndpoint(hub: Pick<HubCalls, "send">, endpoint: Json): Promise<Trial> {
  const id = textOf(endpoint["id"]);
  const hops = recordsOf((await hub.send("POST", `/api/endpoints/${id}/test`))["hops"]);
  return {
    id,
    url: textOf(endpoint["url"]),
    ok: hops.length > 0 && hops.every((hop) => hop["ok"] === true),
    hops,
  };
}

const textOfTrial = ({ id, url, hops }: Trial): string =>
  lines(
    `${id} ${cell(url)}`,
    table(hops, {
      hop: "hop",
      ok: (hop) => (hop["ok"] === true ? "ok" : "FAILS"),
      ms: "ms",
      detail: "detail",
      "what to do": "advice",
    }),
  );

const listOf = (rows: Json[]): string =>
  table(rows, {
    id: "id",
    state: "state",
    breaker: ({ breaker }) =>
      cell(typeof breaker === "object" && breaker !== null && "state" in breaker ? breaker.state : null),
    pending: "pending",
    parked: "dead",
    "last success": ({ lastSuccessAt }) => moment(lastSuccessAt),
    "last error": "lastError",
    url: "url",
  });
