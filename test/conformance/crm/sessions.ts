/** Sessions: upserted as a whole, counted beside. */
import { expect, test } from "vitest";
import { T0 } from "../../support/builders.ts";
import type { Session } from "../../../bridge/records.ts";
import { aSessionRecord } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

export function sessions(world: CrmWorlds): void {
  test("a CRM that was prepared can be written to, and preparing again harms nothing", async () => {
    const { adapter } = await world();
    await adapter.check();
    await adapter.upsertSession(aSessionRecord(), null);
    await adapter.prepare();
    expect(await adapter.upsertSession(aSessionRecord(), null)).toMatchObject({ outcome: "unchanged" });
  });

  test("a session is created, updated, and left alone when nothing changed", async () => {
    const { adapter, shows } = await world();
    expect(await adapter.upsertSession(aSessionRecord(), null)).toMatchObject({ outcome: "created" });
    expect(await adapter.upsertSession(aSessionRecord(), null)).toMatchObject({ outcome: "unchanged" });
    await shows(
      "WhatsApp Session",
      { session_id: "s1" },
      { session_name: "Front desk", status: "Connected", is_connected: 1, session_db_id: 12 },
    );

    const waiting = aSessionRecord({ status: "qr_code", state: "qr", isConnected: false, hasQR: true });
    expect(await adapter.upsertSession(waiting, null)).toMatchObject({ outcome: "updated" });
    await shows("WhatsApp Session", { session_id: "s1" }, { status: "QR Code Required", is_connected: 0 });
  });

  test("a session is known by the name of its record, where records have names", async () => {
    const { adapter, look } = await world();
    await adapter.upsertSession(aSessionRecord(), null);
    const [row] = (await look("WhatsApp Session", { session_id: "s1" })) ?? [];
    if (adapter.sessionIdOf === undefined) return;
    expect(await adapter.sessionIdOf(String(row?.["name"]))).toBe("s1");
    expect(await adapter.sessionIdOf("nobody's")).toBeNull();
  });

  test("a session is active until a person stops it, whether it is connected or not", async () => {
    const { adapter, look } = await world();
    const isActive = async (change: Partial<Session>): Promise<unknown> => {
      await adapter.upsertSession(aSessionRecord(change), null);
      const [row] = (await look("WhatsApp Session", { session_id: "s1" })) ?? [];
      // A CRM may have no such field.
      return row === undefined || !("is_active" in row) ? null : row["is_active"];
    };
    const lost = { status: "disconnected", state: "reconnecting", isConnected: false } as const;
    expect([1, null]).toContain(await isActive(lost));
    expect([0, null]).toContain(await isActive({ ...lost, state: "stopped", manuallyStopped: true }));
    expect([1, null]).toContain(await isActive({}));
  });

  test("a session that is in trouble says why, and forgets it when it is well", async () => {
    const { adapter, shows } = await world();
    const reason = {
      code: "replaced",
      text: "Opened somewhere else",
      blame: "other_instance" as const,
      advice: "Close the other one",
      at: T0.toISOString(),
    };
    await adapter.upsertSession(
      aSessionRecord({ status: "error", state: "replaced", isConnected: false, reason }),
      null,
    );
    await shows("WhatsApp Session", { session_id: "s1" }, { status: "Error", error_code: "replaced" });
    expect(await adapter.upsertSession(aSessionRecord(), null)).toMatchObject({ outcome: "updated" });
    await shows("WhatsApp Session", { session_id: "s1" }, { status: "Connected" });
  });

  test("counters and the last sync are kept beside what the hub says", async () => {
    const { adapter, shows } = await world();
    await adapter.upsertSession(aSessionRecord(), null);
    const notes = { totals: { contacts: 3, chats: 2, messages: 7 }, lastSync: T0 };
    const noted = await adapter.noteSession("s1", notes);
    expect(["updated", "unchanged"]).toContain(noted.outcome);
    await shows("WhatsApp Session", { session_id: "s1" }, { total_contacts: 3, total_chats: 2 });
    await adapter.upsertSession(aSessionRecord({ sessionName: "Back office" }), null);
    await shows(
      "WhatsApp Session",
      { session_id: "s1" },
      { session_name: "Back office", total_contacts: 3, total_chats: 2 },
    );
  });
}
