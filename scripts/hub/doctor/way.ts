/** The way to a server on the internet, step by step: name, connection, encryption; and what time it is over there. */
import { lookup } from "node:dns/promises";
import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { codeOf, fine, problem, skipped, type Check } from "./check.ts";

const TIMEOUT_MS = 8_000;
/** Signatures of webhooks bear five minutes; WhatsApp's logins less. */
const MAX_SKEW_MS = 30_000;

/** Stops at the first step that fails: the others could not work. */
export async function checkWay(name: string, url: URL): Promise<Check[]> {
  const isSealed = url.protocol === "wss:" || url.protocol === "https:";
  const port = Number(url.port) || (isSealed ? 443 : 80);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const checks: Check[] = [];

  let address: string;
  try {
    ({ address } = await lookup(host));
    checks.push(fine(`${name}: DNS`, `${host} is ${address}`));
  } catch (error) {
    return [
      problem(
        `${name}: DNS`,
        `${host}: ${codeOf(error)}`,
        "Check the DNS servers of this machine (/etc/resolv.conf).",
      ),
    ];
  }
  try {
    await opened((done) => connectTcp({ host: address, port }, done));
    checks.push(fine(`${name}: connection`, `port ${port} answers`));
  } catch (error) {
    return [
      ...checks,
      problem(
        `${name}: connection`,
        `${host} port ${port}: ${codeOf(error)}`,
        `Let this machine out to ${host} port ${port} (firewall, proxy).`,
      ),
    ];
  }
  if (!isSealed) return checks;
  try {
    await opened((done) =>
      connectTls(
        // An address is no server name: the certificate is then held against the address itself.
        { host: address, port, minVersion: "TLSv1.2", ...(isIP(host) === 0 ? { servername: host } : {}) },
        done,
      ),
    );
    checks.push(fine(`${name}: TLS`, "the certificate is valid"));
  } catch (error) {
    checks.push(
      problem(
        `${name}: TLS`,
        codeOf(error),
        "Something on the way shows another certificate, or this machine's list of authorities is old (ca-certificates).",
      ),
    );
  }
  return checks;
}

interface Opening {
  on(event: "error", listener: (error: Error) => void): unknown;
  setTimeout(ms: number, listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

/** Opens and closes at once. */
function opened(open: (done: () => void) => Opening): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = open(() => {
      resolve();
      socket.destroy();
    });
    socket.on("error", reject);
    socket.setTimeout(TIMEOUT_MS, () => {
      socket.destroy(new Error("no answer in time"));
    });
  });
}

/** This clock beside the first of these servers that says what time it has. */
export async function checkClock(servers: URL[], now: () => Date): Promise<Check> {
  for (const { origin, host } of servers) {
    const sent = now().getTime();
    const answer = await fetch(origin, {
      method: "HEAD",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => null); // the next one may answer
    const theirs = Date.parse(answer?.headers.get("date") ?? "");
    if (Number.isNaN(theirs)) continue;
    // Somewhere between question and answer the server looked at its clock, which shows whole seconds.
    const ours = (sent + now().getTime()) / 2;
    const skew = Math.round((ours - theirs) / 1000);
    return Math.abs(ours - theirs) <= MAX_SKEW_MS
      ? fine("clock", `as at ${host}, within ${Math.max(1, Math.abs(skew))} s`)
      : problem(
          "clock",
          `${Math.abs(skew)} s ${skew > 0 ? "ahead of" : "behind"} ${host}`,
          "Let the system keep the time (timedatectl set-ntp true): signatures with a wrong time are refused.",
        );
  }
  return skipped("clock", "no server told its time");
}

/** The address of the same server for HTTP. */
export const overHttp = (url: URL): URL => new URL(url.href.replace(/^ws/, "http"));
