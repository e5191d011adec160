/** Trouble: at once, or armed for its moment. The README's table says what Baileys rc14 makes of each. */
import { z } from "zod";
import { streamError, type Connection } from "../link/connection.ts";
import { unlink } from "../link/unlink.ts";
import { releaseWithheld } from "../mail/delivery.ts";
import type { Account } from "../state/account.ts";
import type { Companion } from "../state/companion.ts";
import type { ArmedFault, ArmedKind } from "../state/faults.ts";
import { digitsOf, FROM_SERVER } from "../wire/jid.ts";
import { stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { accountOf, companionOf } from "./find.ts";

const at = { account: z.string().optional(), device: z.number().int().optional() };
const now = <Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.strictObject({ kind: z.literal(kind), ...at, ...shape });
const armed = <Kind extends ArmedKind, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) =>
  z.strictObject({
    kind: z.literal(kind),
    account: z.string().transform(digitsOf).optional(),
    /** How often; null: until it is cleared. */
    count: z.number().int().min(1).nullable().default(1),
    ...shape,
  });
const code = z.number().int();
const delayMs = z.number().int().min(0);

export const faultRequest = z.discriminatedUnion("kind", [
  now("stream-error", { code }),
  now("conflict", {}),
  now("failure", { reason: code }),
  now("downgrade", {}),
  now("device-removed", {}),
  now("close", {}),
  now("terminate", {}),
  now("reset", {}),
  now("xmlstreamend", {}),
  now("silent", { on: z.boolean().default(true) }),
  now("withhold", { on: z.boolean().default(true) }),
  now("reorder", { order: z.array(z.number().int().min(0)).min(2).max(1000) }),
  armed("login-failure", { reason: code, expire: z.number().int().min(1).optional() }),
  armed("reject-upgrade", { status: code.default(503) }),
  armed("stall-upgrade", {}),
  armed("foreign-root", {}),
  armed("wrong-account-signature", {}),
  armed("iq", {
    xmlns: z.string().optional(),
    tag: z.string().optional(),
    code: code.optional(),
    drop: z.boolean().optional(),
    delayMs: delayMs.optional(),
  }),
  armed("corrupt", {}),
  armed("ignore-retry", {}),
  armed("phone-silent", {}),
  armed("contact-retry", {}),
  armed("ack-error", { code }),
  armed("ack-drop", {}),
  armed("ack-delay", { delayMs }),
  armed("cut-after", { stanzas: z.number().int().min(1) }),
  armed("no-offline-end", {}),
  armed("lose-receipt", {}),
  armed("duplicate", { times: z.number().int().min(2).max(100) }),
  armed("media", {
    status: code.optional(),
    redirect: z.string().optional(),
    damage: z.enum(["truncated", "garbled"]).optional(),
    skip: z.number().int().min(0).optional(),
  }),
  armed("upload", { status: code }),
]);
export type FaultRequest = z.input<typeof faultRequest>;
type ReadFault = z.output<typeof faultRequest>;
type ImmediateFault = Exclude<ReadFault, { kind: ArmedKind }>;

export interface FaultOperations {
  fault(request: FaultRequest): void;
  faults(): ArmedFault[];
  clearFaults(account?: string): void;
}

export function faultOperations(world: World): FaultOperations {
  return {
    fault(request) {
      const fault = faultRequest.parse(request);
      if (isImmediate(fault)) {
        strike(fault, world);
        return;
      }
      const { kind, account, count, ...details } = fault;
      // The schema of each kind is what its details are declared as.
      world.faults.arm(kind, details, { account, count });
    },
    faults: () => world.faults.list(),
    clearFaults: (account) => world.faults.clear(account === undefined ? undefined : digitsOf(account)),
  };
}

const isImmediate = (fault: ReadFault): fault is ImmediateFault => !("count" in fault);

function strike(fault: ImmediateFault, world: World): void {
  const account: Account = accountOf(fault.account, world);
  const companion: Companion = companionOf(account, fault.device);
  if (fault.kind === "withhold") {
    if (fault.on) companion.withheld = true;
    else releaseWithheld(companion, world);
    return;
  }
  if (fault.kind === "reorder") {
    companion.reorder = { order: fault.order, held: [] };
    return;
  }
  if (fault.kind === "device-removed") {
    unlink(companion, "phone", world);
    return;
  }
  if (companion.connection) strikeConnection(fault, companion.connection);
}

type ConnectionFault = Exclude<ImmediateFault, { kind: "withhold" | "reorder" | "device-removed" }>;

function strikeConnection(fault: ConnectionFault, connection: Connection): void {
  switch (fault.kind) {
    case "stream-error": {
      connection.endWith(streamError(fault.code));
      return;
    }
    case "conflict": {
      connection.endWith(streamError(undefined, stanza("conflict", { type: "replaced" })));
      return;
    }
    case "failure": {
      connection.endWith(stanza("failure", { reason: fault.reason, location: "emulator" }));
      return;
    }
    case "downgrade": {
      connection.endWith(stanza("ib", { from: FROM_SERVER }, [stanza("downgrade_webclient")]));
      return;
    }
    case "xmlstreamend": {
      connection.endWith(stanza("xmlstreamend"));
      return;
    }
    case "close": {
      connection.close();
      return;
    }
    case "terminate": {
      connection.terminate();
      return;
    }
    case "reset": {
      connection.reset();
      return;
    }
    case "silent": {
      connection.setSilent(fault.on);
      return;
    }
  }
}
