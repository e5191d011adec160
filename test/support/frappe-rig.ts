/** A Frappe site with an adapter opened on it, and what the adapter said in its log. */
import { afterEach } from "vitest";
import type { CrmAdapter } from "../../bridge/adapter.ts";
import { openFrappeAdapter, type FrappeConfig } from "../../bridge/adapters/frappe/frappe-adapter.ts";
import type { Log } from "../../bridge/log.ts";
import { fixedClock, type FixedClock } from "./fixed-clock.ts";
import { startFrappeSite, type FrappeSite, type FrappeSiteOptions } from "./frappe-site.ts";

export interface FrappeRig {
  site: FrappeSite;
  adapter: CrmAdapter;
  clock: FixedClock;
  /** Another adapter on the same site, which remembers nothing. */
  reopen(config?: Partial<FrappeConfig>): CrmAdapter;
  logged(event: string): object[];
}

const open: FrappeRig["site"][] = [];
const adapters: CrmAdapter[] = [];

export function closeFrappeRigs(): void {
  afterEach(async () => {
    for (const adapter of adapters.splice(0)) await adapter.close();
    for (const site of open.splice(0)) await site.stop();
  });
}

export async function openFrappeRig(
  options: FrappeSiteOptions & { prepared?: boolean } = {},
  config: Partial<FrappeConfig> = {},
): Promise<FrappeRig> {
  const site = await startFrappeSite(options);
  open.push(site);
  const said: { facts: object; event: string }[] = [];
  const note = (facts: object, event: string): unknown => said.push({ facts, event });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const clock = fixedClock();
  const reopen = (change: Partial<FrappeConfig> = {}): CrmAdapter => {
    const adapter = openFrappeAdapter({ ...site, ...config, ...change }, { clock, log });
    adapters.push(adapter);
    return adapter;
  };
  const adapter = reopen();
  if (options.prepared !== false) await adapter.prepare();
  site.requests();
  return {
    site,
    adapter,
    clock,
    reopen,
    logged: (event) => said.filter((one) => one.event === event).map(({ facts }) => facts),
  };
}
