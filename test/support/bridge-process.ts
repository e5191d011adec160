/** A bridge as its users run it: a process of its own, on a free port, in a folder of its own. */
import { startProduct, type ProductProcess } from "./product-process.ts";

/** What `npm run bridge` and pm2 start it with. */
const AS_SHIPPED = ["--enable-source-maps", "--max-semi-space-size=4"];

/** Starts a bridge with these settings and waits until it says that it is ready. From the sources unless `entry` is compiled. */
export const startBridgeProcess = (
  env: Record<string, string>,
  { entry = "bridge/main.ts" }: { entry?: string } = {},
): Promise<ProductProcess> =>
  startProduct({
    entry,
    env: { BRIDGE_PORT: "0", ...env },
    readyEvent: "bridge.ready",
    nodeOptions: entry.endsWith(".ts") ? ["--import", "tsx"] : AS_SHIPPED,
    readyTimeoutMs: 60_000,
  });
