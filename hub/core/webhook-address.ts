/**
 * Which addresses the hub may call on somebody's order. Public ones always; private and loopback ranges only when the
 * operator listed them, or configured that very URL; metadata services and the unroutable rest never.
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { blockList, canonicalIp } from "./address-ranges.ts";
import { HubError } from "./errors.ts";

/** The setting that opens a range; every refusal that it could lift names it. */
export const ALLOW_SETTING = "HUB_WEBHOOK_ALLOW_CIDRS";

export interface AddressGuard {
  /** Throws when a URL must not be called, as far as its text tells: scheme, user info, literal addresses. */
  check(url: string): void;
  /** `check`, and throws when its host resolves to a refused address now. A host nobody knows yet passes. */
  checkHost(url: string): Promise<void>;
  /** Throws when this literal address must not be called; resolvers are never asked about literals. */
  checkIp(address: string): void;
  /** Resolves a host and fails when any of its addresses must not be called; the connection uses these very addresses. */
  lookup: LookupFunction;
  /** The same by the rules of one URL: plain http needs an opened range, the operator's own URL needs none. */
  lookupFor(url: string): LookupFunction;
}

/** What may be called: anything public, only opened ranges (plain http), or also closed ones (the operator's own URL). */
type Rule = "public" | "opened" | "trusted";

/** Refused whatever is configured: cloud metadata, "this network", multicast, reserved, tunnels to v4. */
const NEVER = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.88.99.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "100.100.100.200/32", // Alibaba Cloud's metadata, inside the shared range
  "168.63.129.16/32", // Azure's wire server
  "::/96", // unspecified, and v4 in its oldest disguise; ::1 is looked at before
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23", // Teredo and other protocol assignments
  "2002::/16",
  "5f00::/16",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
  "fd00:ec2::254/128", // AWS's metadata over v6
];
/** Refused until the operator lists them. */
const CLOSED = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "::1/128",
  "fc00::/7",
];

export function createAddressGuard({
  allowCidrs,
  allowedUrls,
  resolve = systemLookup,
}: {
  allowCidrs: string[];
  /** URLs the operator configured: their own host is allowed, and nothing else of its range. */
  allowedUrls: string[];
  resolve?: Resolve;
}): AddressGuard {
  const never = blockList(NEVER);
  const closed = blockList(CLOSED);
  const opened = blockList(allowCidrs);
  const trusted = new Set(allowedUrls.filter((url) => URL.canParse(url)).map((url) => new URL(url).href));

  const refusal = (text: string, rule: Rule): HubError | null => {
    const ip = canonicalIp(text);
    const isLoopback6 = ip?.address === "::1"; // inside ::/96, yet it can be opened
    if (ip === null || (!isLoopback6 && never.check(ip.address, ip.family)))
      return refused(`The address ${text} must not be called.`, `leads to ${text}, which must not be called`);
    if (rule === "trusted" || opened.check(ip.address, ip.family)) return null;
    if (closed.check(ip.address, ip.family))
      return refused(
        `The address ${text} is in a private range; the operator can open it with ${ALLOW_SETTING}.`,
        `leads to the private address ${text}; the operator can open its range with ${ALLOW_SETTING}`,
      );
    return rule === "opened" ? plainHttp() : null;
  };

  const ruleFor = (url: URL): Rule =>
    trusted.has(url.href) ? "trusted" : url.protocol === "https:" ? "public" : "opened";

  const lookupBy =
    (rule: Rule): LookupFunction =>
    (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error !== null) {
          callback(error, "", 0);
          return;
        }
        // One bad address among good ones refuses them all: the order of answers belongs to whoever runs that zone.
        const bad = addresses.map(({ address }) => refusal(address, rule)).find((it) => it !== null);
        const first = addresses[0];
        if (bad !== undefined) callback(bad, "", 0);
        else if (first === undefined) callback(notFound(hostname), "", 0);
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  const lookups: Record<Rule, LookupFunction> = {
    public: lookupBy("public"),
    opened: lookupBy("opened"),
    trusted: lookupBy("trusted"),
  };

  const check = (text: string): URL => {
    const url = parsedUrl(text);
    const rule = ruleFor(url);
    const literal = literalHost(url);
    const problem = literal === null ? null : refusal(literal, rule);
    if (problem !== null) throw problem;
    if (rule === "opened" && allowCidrs.length === 0) throw plainHttp();
    return url;
  };

  return {
    check: (text) => void check(text),
    checkHost: async (text) => {
      const url = check(text);
      if (literalHost(url) !== null) return;
      await new Promise<void>((pass, fail) => {
        setTimeout(pass, LOOKED_UP_MS).unref();
        lookups[ruleFor(url)](url.hostname, { all: true }, (error) =>
          error instanceof HubError ? fail(error) : pass(),
        );
      });
    },
    checkIp: (address) => {
      const problem = refusal(address, "public");
      if (problem !== null) throw problem;
    },
    lookup: lookups.public,
    lookupFor: (text) => lookups[ruleFor(new URL(text))],
  };
}

/** Nobody waits longer for a name now: every connection asks for it again, and is refused then. */
const LOOKED_UP_MS = 2500;

export type Resolve = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The address in a URL whose host is written as one; null for names. URL parsing already undid octal, hex and the like. */
function literalHost(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (/^(.+\.)?localhost\.?$/.test(host)) return "127.0.0.1"; // reserved for this, whatever a resolver says
  return isIP(host) === 0 ? null : host;
}

function parsedUrl(text: string): URL {
  if (!URL.canParse(text)) throw refused("This is no URL.", "use a URL such as https://crm.example/hook");
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw refused("Only https URLs are called.", "use https");
  if (url.username !== "" || url.password !== "")
    throw refused("The URL must not carry a user name or password.", "leave out user name and password");
  if (url.hash !== "" || text.includes("#"))
    throw refused("The URL must not have a fragment.", "leave out the fragment");
  return url;
}

const refused = (message: string, problem: string): HubError =>
  new HubError("VALIDATION_ERROR", message, { details: { fields: [{ path: "url", problem }] } });

const plainHttp = (): HubError =>
  refused(
    `Plain http is called only inside ranges that the operator opened with ${ALLOW_SETTING}; use https.`,
    `use https; plain http only inside ranges the operator opened with ${ALLOW_SETTING}`,
  );

const notFound = (hostname: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`no address for ${hostname}`), { code: "ENOTFOUND" });
