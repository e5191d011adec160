/** Where this machine itself reaches a server that listens on a host: "all addresses" is no address to go to. */
import type { Log } from "../core/log.ts";

const isEverywhere = (host: string): boolean => /^(0\.0\.0\.0|[0:]+)$/.test(host);

export function ownUrl(host: string, port: number | string): string {
  const near = !isEverywhere(host) ? host : host.includes(":") ? "::1" : "127.0.0.1";
  return `http://${near.includes(":") ? `[${near}]` : near}:${port}`;
}

/** What URLs for others begin with. Where nobody said so, only this machine can follow them for certain. */
export function publicUrlOf({
  configured,
  host,
  own,
  log,
}: {
  configured: string | null;
  host: string;
  own: string;
  log: Log;
}): string {
  if (configured !== null) return configured;
  if (isEverywhere(host))
    log.warn(
      {
        publicUrl: own,
        advice:
          "The hub listens on all addresses and does not know under which one others reach it: URLs of media work on this machine only. Set HUB_PUBLIC_URL.",
      },
      "config.public_url_missing",
    );
  return own;
}
