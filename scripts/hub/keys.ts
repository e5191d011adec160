/** `keys`: keys of the API, listed, made, renewed and revoked. */
import { InvalidArgumentError, type Command } from "commander";
import { SCOPES, type Scope } from "../../hub/core/api-key.ts";
import type { Bench } from "./desk.ts";
import { textOf, type Json } from "./hub-calls.ts";
import { rangesOf, scopesOf, sessionsOf } from "./lists.ts";
import { cell, lines, moment, table } from "./show.ts";

export function addKeys(program: Command, bench: Bench): void {
  const keys = program.command("keys").description("keys of the API");
  keys
    .command("list", { isDefault: true })
    .description("all keys, without their secrets")
    .action(async () => {
      const rows = await bench.hub().all("/api/keys", "keys");
      bench.show({ data: { keys: rows }, text: listOf(rows) });
    });
  keys
    .command("create")
    .description("makes a key; it is shown once")
    .requiredOption("--name <name>", "who uses it")
    .requiredOption("--scopes <list>", `separated by commas: ${SCOPES.join(", ")}`, scopesOf)
    .option("--sessions <list>", "names of sessions, separated by commas; * for all", sessionsOf, "*")
    .option(
      "--from <ranges>",
      "where its calls may come from, as 203.0.113.0/24,10.0.0.0/8; left out: from anywhere",
      rangesOf,
    )
    .option("--client <label>", "keys of one label are one client, which does not hear of its own sends")
    .option("--expires <time>", "when it ends by itself (ISO 8601)", isoTime)
    .action(
      async (options: {
        name: string;
        scopes: Scope[];
        sessions: "*" | string[];
        from?: string[];
        client?: string;
        expires?: string;
      }) => {
        const { expires, from, ...fields } = options;
        const made = await bench.hub().send("POST", "/api/keys", {
          ...fields,
          ...(expires === undefined ? {} : { expiresAt: expires }),
          ...(from === undefined ? {} : { allowedCidrs: from }),
        });
        bench.show({ data: made, text: shownOnce(made) });
      },
    );
  keys
    .command("rotate")
    .description("gives a key a new secret; it is shown once")
    .argument("<id>", "key_…")
    .option("--grace <seconds>", "how long the old secret is still accepted, at most a day", seconds, 0)
    .action(async (id: string, { grace }: { grace: number }) => {
      const rotated = await bench
        .hub()
        .send("POST", `/api/keys/${encodeURIComponent(id)}/rotate`, { graceSeconds: grace });
      bench.show({ data: rotated, text: shownOnce(rotated) });
    });
  keys
    .command("revoke")
    .description("ends a key at once")
    .argument("<id>", "key_…")
    .action(async (id: string) => {
      await bench.hub().send("DELETE", `/api/keys/${encodeURIComponent(id)}`);
      bench.show({ data: { id, deleted: true }, text: `${id} is revoked.` });
    });
}

const listOf = (rows: Json[]): string =>
  table(rows, {
    id: "id",
    name: "name",
    scopes: ({ scopes }) => cell(Array.isArray(scopes) ? scopes.join(" ") : scopes),
    sessions: ({ sessions }) => cell(Array.isArray(sessions) ? sessions.join(" ") : sessions),
    from: ({ allowedCidrs }) => cell(Array.isArray(allowedCidrs) ? allowedCidrs.join(" ") : null),
    client: "client",
    expires: ({ expiresAt }) => moment(expiresAt),
    made: ({ createdAt }) => moment(createdAt),
  });

const shownOnce = (key: Json): string =>
  lines(`${cell(key["id"])} (${cell(key["name"])}), shown only now:`, "", `  ${textOf(key["key"])}`);

function isoTime(text: string): string {
  if (Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError("use a time such as 2027-01-31T10:00:00Z");
  return new Date(text).toISOString();
}

function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 86_400) throw new InvalidArgumentError("use 0 to 86400");
  return Number(text);
}
