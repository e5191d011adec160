/** Where calls come from: the other end of the connection, or what a proxy that the operator trusts says stands behind it. */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { blockList, canonicalIp, isInRanges } from "../core/address-ranges.ts";

export interface Origins {
  /** As near to the caller as can be known. */
  addressOf(request: IncomingMessage): string;
  /** Whether it is certain that the caller's own address lies in one of these ranges. */
  isFrom(request: IncomingMessage, cidrs: string[]): boolean;
  /** A call from this machine itself; one that came through a proxy is somebody else's. */
  isLocal(request: IncomingMessage): boolean;
}

/** `trustedProxies`: ranges of those whose `X-Forwarded-For` is believed. What others write there anybody could. */
export function createOrigins(trustedProxies: string[]): Origins {
  const proxies = blockList(trustedProxies);
  const isProxy = (address: string): boolean => {
    const ip = canonicalIp(address);
    return ip !== null && proxies.check(ip.address, ip.family);
  };

  const originOf = (request: IncomingMessage): Origin => {
    const peer = request.socket.remoteAddress ?? "";
    if (!isProxy(peer)) return { address: peer, isCertain: !isForwarded(request) };
    // Each proxy appends whom it saw: only the part that trusted ones wrote is true, and that is read from the end.
    let nearest = peer;
    for (const hop of hopsOf(request).reverse()) {
      if (hop === null) break;
      if (!isProxy(hop)) return { address: hop, isCertain: true };
      nearest = hop;
    }
    return { address: nearest, isCertain: false };
  };

  return {
    addressOf: (request) => originOf(request).address,
    isFrom: (request, cidrs) => {
      const { address, isCertain } = originOf(request);
      return isCertain && isInRanges(address, cidrs);
    },
    isLocal: (request) => {
      const peer = request.socket.remoteAddress ?? "";
      return !isForwarded(request) && !isProxy(peer) && (peer === "::1" || /^(::ffff:)?127\./.test(peer));
    },
  };
}

interface Origin {
  address: string;
  isCertain: boolean;
}

const isForwarded = ({ headers }: IncomingMessage): boolean =>
  ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => name in headers);

/** Null for what is no address, such as `unknown`. */
const hopsOf = ({ headers }: IncomingMessage): (string | null)[] =>
  [headers["x-forwarded-for"] ?? []].flat().join(",").split(",").map(addressIn);

/** Some proxies write the port as well. */
function addressIn(hop: string): string | null {
  const text = hop.trim();
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 ? null : bare;
}
