/** Opens the adapter that the configuration names. Each is loaded only when it is chosen: a light bridge needs no SQLite. */
import type { CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import { CrmMisconfigured } from "../errors.ts";
import type { Log } from "../log.ts";

export type CrmConfig =
  | { kind: "memory" }
  | { kind: "sqlite"; file: string }
  | {
      kind: "frappe";
      url: string;
      apiKey: string;
      apiSecret: string;
      /** The site's own when not given. */
      timeZone?: string | undefined;
      copyMedia?: boolean | undefined;
    }
  | {
      kind: "http";
      url: string;
      secret?: string | undefined;
      /** Value of the `Authorization` header. */
      auth?: string | undefined;
      /** Other paths and names of fields. */
      map?: Record<string, unknown> | undefined;
    };

export interface AdapterDeps {
  clock: Clock;
  log: Log;
}

export async function openAdapter(crm: CrmConfig, deps: AdapterDeps): Promise<CrmAdapter> {
  switch (crm.kind) {
    case "memory": {
      const { createMemoryAdapter } = await import("./memory/memory-adapter.ts");
      return createMemoryAdapter(deps);
    }
    case "sqlite": {
      const { openSqliteAdapter } = await import("./sqlite/sqlite-adapter.ts").catch(withoutSqlite);
      return openSqliteAdapter({ file: crm.file, clock: deps.clock });
    }
    case "frappe": {
      const { openFrappeAdapter } = await import("./frappe/frappe-adapter.ts");
      return openFrappeAdapter(crm, deps);
    }
    case "http": {
      const { openHttpAdapter } = await import("./http/http-adapter.ts");
      return openHttpAdapter(crm, deps);
    }
  }
}

/** The light package comes without it. */
function withoutSqlite(cause: unknown): never {
  const isMissing = cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
  if (!isMissing || !cause.message.includes("better-sqlite3")) throw cause;
  throw new CrmMisconfigured(
    "BRIDGE_CRM=sqlite needs the package better-sqlite3: install it beside the bridge, or choose another CRM.",
    { cause },
  );
}
