/** What the bridge declares as a Frappe app does. */
import { expect, test } from "vitest";
import { schedulerEvents } from "../../bridge/hooks.ts";
import { openBridgeRig } from "../support/bridge-rig.ts";

test("whatever runs by itself can be ordered by name, and no name is declared twice", async () => {
  const { bridge } = await openBridgeRig();
  const names = bridge.methods.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const work = { start: () => undefined, stop: () => undefined };
  const events = schedulerEvents({ autoSync: work, reconcile: work, keepUp: work, directory: work });
  expect(events).toHaveLength(4);
  for (const { method } of events) expect(names).toContain(method);
});
