/** A11: an order to send many deliveries again that comes more than once. */
import { expect, test } from "vitest";
import { HubError } from "../../hub/core/errors.ts";
import { seconds } from "../support/fixed-clock.ts";
import { openOutboxRig } from "../support/outbox-rig.ts";

/** Until what a CRM refuses is parked. */
const WAITS_S = [0, 5, 30, 120, 600, 1800];
const ORDERS = 20;

test("A11: all that is dead, ordered again many times at once, is one job and goes once", async () => {
  const rig = await openOutboxRig();
  const crm = await rig.crm();
  await rig.endpoint(crm);
  crm.answers({ kind: "answer", status: 422 });
  await rig.says("34600111222");
  await rig.says("34600333444");
  for (const wait of WAITS_S) await rig.after(seconds(wait));
  expect(await rig.deliveries({ state: "dead" })).toHaveLength(2);

  crm.answers();
  const order = () => rig.replays.start({ state: "dead" }, { dryRun: false, by: "key_1" });
  const answers = await Promise.all(
    Array.from({ length: ORDERS }, () => order().catch((error: unknown) => error)),
  );
  const refused = answers.filter((answer) => answer instanceof HubError);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["STATE_CONFLICT"]));
  expect(refused).toHaveLength(ORDERS - 1);
  await rig.replays.idle();
  await rig.dispatcher.idle();
  expect(crm.requests().filter(({ replay }) => replay)).toHaveLength(2);
  expect(await rig.deliveries({ state: "delivered" })).toHaveLength(2);
});
