/** What runs: the hub, the receivers of its webhooks, the bridge. */
import { tryEndpoint } from "../endpoints.ts";
import { recordOf, textOf, type HubCalls, type Json } from "../hub-calls.ts";
import { cell } from "../show.ts";
import { fine, problem, skipped, type Check } from "./check.ts";

export async function checkHub(hub: HubCalls, { holdsFolder }: { holdsFolder: boolean }): Promise<Check> {
  const answer = await hub.probe("/readyz");
  if (answer === null)
    return holdsFolder
      ? problem(
          "hub",
          `a hub runs on the data folder, but none answers at ${hub.url}`,
          "Check HUB_URL, HUB_HOST and HUB_PORT; or it still starts.",
        )
      : problem("hub", `none answers at ${hub.url}`, "Start it: npm run pm2:start, or npm start.");
  const { ready, checks } = answer.body;
  if (ready === true) return fine("hub", `ready at ${hub.url}`);
  const failing = Object.entries(recordOf(checks)).filter(([, isOk]) => isOk !== true);
  return problem(
    "hub",
    failing.length === 0
      ? `HTTP ${answer.status} at ${hub.url}`
      : `not ready: ${failing.map(([name]) => name).join(", ")}`,
    answer.status === 401
      ? "Set HUB_API_KEY in .env to a key of this hub."
      : "Look at the disk above and at the log (npm run pm2:logs).",
  );
}

/** A session that is stopped was never connected, or is so by order. */
export function checkSessions(sessions: Json[]): Check {
  const isWell = (session: Json): boolean =>
    session["status"] === "connected" || session["state"] === "stopped";
  const ill = sessions.filter((session) => !isWell(session)).map((session) => textOf(session["sessionId"]));
  return ill.length === 0
    ? fine("sessions", `${sessions.length}, none that needs anything`)
    : problem(
        "sessions",
        `not connected: ${cell(ill.join(", "))}`,
        `npm run hub -- fix-session ${ill[0] ?? ""}`,
      );
}

export async function checkEndpoint(hub: HubCalls, endpoint: Json): Promise<Check> {
  const what = `endpoint ${textOf(endpoint["id"])}`;
  if (endpoint["enabled"] === false) return skipped(what, "switched off");
  const { url, hops, ok } = await tryEndpoint(hub, endpoint);
  const { host } = new URL(url);
  if (ok) return fine(what, `${host}: ${hops.map((hop) => textOf(hop["hop"])).join(", ")}`);
  const bad = hops.find((hop) => hop["ok"] !== true) ?? {};
  return problem(
    what,
    `${host}, at ${cell(bad["hop"])}: ${cell(bad["detail"])}`,
    textOf(bad["advice"]) || "Look into the receiver's own log.",
  );
}

export async function checkBridge(env: Record<string, string | undefined>): Promise<Check> {
  if (!env["BRIDGE_HUB_API_KEY"]) return skipped("bridge", "none is configured");
  const host = env["BRIDGE_HOST"] || "127.0.0.1";
  const url =
    env["BRIDGE_URL"] || `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${env["BRIDGE_PORT"] || "3001"}`;
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(10_000) }).catch(() => null); // told below
  if (answer === null)
    return problem("bridge", `none answers at ${url}`, "Start it: npm run pm2:start, or npm run bridge.");
  return answer.ok
    ? fine("bridge", `ready at ${url}`)
    : problem(
        "bridge",
        `not ready (HTTP ${answer.status}): ${cell(await answer.text())}`,
        "npm run bridge:status says more.",
      );
}
