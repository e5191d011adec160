/** `users`: people who may log in: listed, made, given a new password, shut out and let in again, removed. */
import type { Command } from "commander";
import { SCOPES, type Scope } from "../../hub/core/api-key.ts";
import { CommandError, UsageError } from "./command-error.ts";
import type { Bench } from "./desk.ts";
import { textOf, type HubCalls, type Json } from "./hub-calls.ts";
import { scopesOf, sessionsOf } from "./lists.ts";
import { cell, lines, moment, table } from "./show.ts";

interface PasswordOptions {
  ask: boolean;
}

const ASK = [
  "--ask",
  "asks for the password, or reads it from what is piped in; left out: one is made and shown once",
] as const;

export function addUsers(program: Command, bench: Bench): void {
  const users = program.command("users").description("people who may log in");
  users
    .command("list", { isDefault: true })
    .description("all users")
    .action(async () => {
      const rows = await bench.hub().all("/api/users", "users");
      bench.show({ data: { users: rows }, text: rows.length === 0 ? "No users." : listOf(rows) });
    });
  users
    .command("add")
    .description("makes a user")
    .argument("<identifier>", "what is typed to log in: a name or an e-mail address")
    .requiredOption("--scopes <list>", `separated by commas: ${SCOPES.join(", ")}`, scopesOf)
    .option("--sessions <list>", "names of sessions, separated by commas; * for all", sessionsOf, "*")
    .option(...ASK, false)
    .action(
      async (
        identifier: string,
        { ask, ...may }: PasswordOptions & { scopes: Scope[]; sessions: "*" | string[] },
      ) => {
        const password = ask ? { password: await asked(bench) } : {};
        const made = await bench.hub().send("POST", "/api/users", { identifier, ...may, ...password });
        bench.show({ data: made, text: shownOnce(made) });
      },
    );
  users
    .command("password")
    .description("gives a user a new password; all logins of the user end")
    .argument("<user>", "identifier or id")
    .option(...ASK, false)
    .action(async (name: string, { ask }: PasswordOptions) => {
      const user = await userOf(bench.hub(), name);
      const body = ask ? { password: await asked(bench) } : { makePassword: true };
      const changed = await change(bench, user, body);
      bench.show({ data: changed, text: shownOnce(changed) });
    });
  for (const [order, disabled, done] of [
    ["disable", true, "may not log in any more; all logins of the user have ended"],
    ["enable", false, "may log in again"],
  ] as const)
    users
      .command(order)
      .description(disabled ? "shuts a user out at once" : "lets a user in again")
      .argument("<user>", "identifier or id")
      .action(async (name: string) => {
        const changed = await change(bench, await userOf(bench.hub(), name), { disabled });
        bench.show({ data: changed, text: `${cell(changed["identifier"])} ${done}.` });
      });
  users
    .command("remove")
    .description("removes a user at once")
    .argument("<user>", "identifier or id")
    .action(async (name: string) => {
      const { id, identifier } = await userOf(bench.hub(), name);
      await bench.hub().send("DELETE", pathOf(textOf(id)));
      bench.show({ data: { id, deleted: true }, text: `${cell(identifier)} is removed.` });
    });
}

const pathOf = (id: string): string => `/api/users/${encodeURIComponent(id)}`;

async function userOf(hub: HubCalls, name: string): Promise<Json> {
  const meant = name.trim().toLowerCase();
  const all = await hub.all("/api/users", "users");
  const user = all.find(({ id, identifier }) => id === name.trim() || identifier === meant);
  if (user === undefined) throw new CommandError(`There is no user "${cell(name)}".`);
  return user;
}

const change = (bench: Bench, { id }: Json, body: Json): Promise<Json> =>
  bench.hub().send("PUT", pathOf(textOf(id)), body);

async function asked({ desk }: Bench): Promise<string> {
  if (desk.askSecret === undefined) throw new UsageError("There is nobody to ask for a password here.");
  return desk.askSecret("Password");
}

const listOf = (rows: Json[]): string =>
  table(rows, {
    id: "id",
    identifier: "identifier",
    scopes: ({ scopes }) => cell(Array.isArray(scopes) ? scopes.join(" ") : scopes),
    sessions: ({ sessions }) => cell(Array.isArray(sessions) ? sessions.join(" ") : sessions),
    disabled: ({ disabledAt }) => moment(disabledAt),
    made: ({ createdAt }) => moment(createdAt),
  });

function shownOnce(user: Json): string {
  const who = `${cell(user["id"])} (${cell(user["identifier"])})`;
  const { password } = user;
  if (typeof password !== "string") return `${who} has the password that you gave.`;
  return lines(`The password of ${who}, shown only now:`, "", `  ${password}`);
}
