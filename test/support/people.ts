/** People who log in, and what a test asks about them. */
import { expect } from "vitest";
import type { Scope } from "../../hub/core/api-key.ts";
import type { Answered, HttpRig } from "./http-rig.ts";

export const PASSWORD = "correct horse battery";

export interface Person {
  id: string;
  accessToken: string;
  refreshToken: string;
}

export const addUser = async (
  rig: HttpRig,
  { scopes = ["read"], sessions = "*" }: { scopes?: Scope[]; sessions?: "*" | string[] } = {},
  identifier = "ana",
): Promise<string> => {
  const { data } = await rig.post("/api/users", { identifier, scopes, sessions, password: PASSWORD });
  return String(data["id"]);
};

export const logIn = (rig: HttpRig, password = PASSWORD, identifier = "ana"): Promise<Answered> =>
  rig.post("/api/auth/login", { identifier, password }, { key: null });

export async function aPerson(
  rig: HttpRig,
  may: { scopes?: Scope[]; sessions?: "*" | string[] } = {},
): Promise<Person> {
  const id = await addUser(rig, may);
  const { status, data } = await logIn(rig);
  expect(status).toBe(200);
  return { id, accessToken: String(data["accessToken"]), refreshToken: String(data["refreshToken"]) };
}

export const bearing = (token: string) => ({ key: null, headers: { Authorization: `Bearer ${token}` } });
export const codeOf = ({ status, json }: Answered): unknown[] => [status, json["code"]];
export const profile = async (rig: HttpRig, token: string) =>
  codeOf(await rig.get("/api/auth/profile", bearing(token)));
export const refresh = (rig: HttpRig, refreshToken: string): Promise<Answered> =>
  rig.post("/api/auth/refresh-token", { refreshToken }, { key: null });

export const FINE = [200, undefined];
export const INVALID = [401, "INVALID_TOKEN"];
export const FAILED = [401, "AUTHENTICATION_FAILED"];
