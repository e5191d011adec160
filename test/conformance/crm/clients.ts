/** Clients of a remote directory: found by its id or the national id, rewritten only by the white list. */
import { expect, test } from "vitest";
import type { ClientStore } from "../../../bridge/adapter.ts";
import { writeClient } from "../../../bridge/directory/write-client.ts";
import { aClient, aContact } from "./records.ts";
import type { CrmWorlds } from "./world.ts";

const changed = ({ externalId, name, email, phone, address, zone } = aClient()) => ({
  externalId,
  name,
  email,
  phone,
  address,
  zone,
});

/** One id as people write it. */
const WRITTEN = ["V-12.345.678", "v- 12.345.678 ", "E\u201312345678", "12 345 678", "12.345.678"];
/** Others, whose digits are the same or nearly so. */
const OTHERS = ["V12345678", "112345678", "12.345.678-9", "1-2345678", "12345678A", "P-12345678"];

export function clients(world: CrmWorlds): void {
  const open = async () => {
    const crm = await world();
    const { clients: store } = crm.adapter;
    if (store === undefined) throw new Error("the adapter has no clients");
    return { ...crm, store };
  };
  const created = async (store: ClientStore, client = aClient()): Promise<string> => {
    const { outcome, id } = await store.create(client);
    expect(outcome).toBe("created");
    return String(id);
  };

  test("a client is found by the directory's id, else by the exact national id", async () => {
    const { store } = await open();
    const id = await created(store);
    expect(await store.find({ externalId: "4711", nationalId: null })).toMatchObject([
      { id, matchedBy: "externalId" },
    ]);
    expect(await store.find({ externalId: "other", nationalId: "12345678" })).toMatchObject([
      { id, matchedBy: "nationalId" },
    ]);
    expect(await store.find({ externalId: "other", nationalId: "1234567" })).toEqual([]);
    expect(await store.find({ externalId: "other", nationalId: null })).toEqual([]);
  });

  test("two clients with one national id are both candidates", async () => {
    const { store } = await open();
    const one = await created(store, aClient({ externalId: "1" }));
    const two = await created(store, aClient({ externalId: "2" }));
    const found = await store.find({ externalId: "3", nationalId: "12345678" });
    expect(found.map(({ id }) => id).sort()).toEqual([one, two].sort());
    expect(await store.find({ externalId: "2", nationalId: "12345678" })).toMatchObject([
      { id: two, matchedBy: "externalId" },
    ]);
  });

  test("a client is found by the national id, however a person wrote it, and by no part of another", async () => {
    const { store, personEdits } = await open();
    const id = await created(store, aClient({ externalId: "mine" }));
    const find = () => store.find({ externalId: "other", nationalId: "12345678" });
    for (const written of WRITTEN) {
      await personEdits?.("WhatsApp Client", id, { national_id: written });
      expect(await find(), written).toMatchObject([{ id, matchedBy: "nationalId", externalId: "mine" }]);
    }
    if (personEdits === undefined) return;
    for (const written of OTHERS) {
      await personEdits("WhatsApp Client", id, { national_id: written });
      expect(await find(), written).toEqual([]);
    }
  });

  test("two clients whose national ids differ in spelling alone are both candidates", async () => {
    const { store, personEdits } = await open();
    const one = await created(store, aClient({ externalId: "1" }));
    const two = await created(store, aClient({ externalId: "2" }));
    await personEdits?.("WhatsApp Client", two, { national_id: "V-12.345.678" });
    const found = await store.find({ externalId: "3", nationalId: "12345678" });
    expect(found.map(({ id }) => id).sort()).toEqual([one, two].sort());
  });

  test("an update writes what differs, and an unchanged client not at all", async () => {
    const { store } = await open();
    const id = await created(store);
    expect(await store.update(id, changed())).toMatchObject({ outcome: "unchanged" });
    const moved = changed(aClient({ address: "Plaza 2", zone: "South", name: "Ana P." }));
    expect(await store.update(id, moved)).toMatchObject({ outcome: "updated" });
    expect(await store.update(id, moved)).toMatchObject({ outcome: "unchanged" });
  });

  test("what the directory does not tell stays as a person wrote it", async () => {
    const { store } = await open();
    const id = await created(store);
    expect(await store.update(id, { externalId: "4711", name: "Ana Pérez" })).toMatchObject({
      outcome: "unchanged",
    });
    expect(await store.update(id, { externalId: "4711", name: "Ana P." })).toMatchObject({
      outcome: "updated",
    });
    expect(await store.update(id, changed(aClient({ name: "Ana P." })))).toMatchObject({
      outcome: "unchanged",
    });
  });

  test("a client matched by national id takes the directory's id", async () => {
    const { store } = await open();
    const id = await created(store, aClient({ externalId: "old" }));
    expect(await store.update(id, changed(aClient({ externalId: "new" })))).toMatchObject({
      outcome: "updated",
    });
    expect(await store.find({ externalId: "new", nationalId: null })).toMatchObject([
      { id, matchedBy: "externalId" },
    ]);
    expect(await store.find({ externalId: "old", nationalId: null })).toEqual([]);
  });

  test("clients without an external id stand beside each other, and each is taken over by its national id", async () => {
    const { store, personEdits } = await open();
    const byHand = [];
    for (const nationalId of ["111", "222"]) {
      const id = await created(store, aClient({ externalId: `wrong-${nationalId}`, nationalId }));
      await personEdits?.("WhatsApp Client", id, { external_id: null });
      byHand.push({ id, nationalId });
    }
    if (personEdits === undefined) return;
    for (const { id, nationalId } of byHand) {
      const found = await store.find({ externalId: `right-${nationalId}`, nationalId });
      expect(found).toEqual([{ id, matchedBy: "nationalId", externalId: null }]);
      const client = aClient({ externalId: `right-${nationalId}`, nationalId });
      const written = await writeClient(client, {
        clients: store,
        rules: { codePrefix: "X", country: "58" },
      });
      expect(written).toEqual({ kind: "updated" });
      expect(await store.find({ externalId: `right-${nationalId}`, nationalId: null })).toMatchObject([
        { id },
      ]);
    }
  });

  test("a client whose phone is a WhatsApp contact is written with and without one", async () => {
    const { store, contacts } = await open();
    await contacts([aContact()]);
    const id = await created(store);
    expect(await store.update(id, changed())).toMatchObject({ outcome: "unchanged" });
    const other = await created(store, aClient({ externalId: "2", phone: null, address: null, zone: null }));
    expect(other).not.toBe(id);
  });

  test("a client is linked to the contact of their phone, also where WhatsApp writes it with one digit more", async () => {
    const { store, contacts, look } = await open();
    await contacts([aContact({ id: "5491112345678@c.us", phone: "+5491112345678" })]);
    await created(store, aClient({ phone: "+541112345678" }));
    const [contact] = (await look("WhatsApp Contact")) ?? [];
    const [client] = (await look("WhatsApp Client", { external_id: "4711" })) ?? [];
    // A CRM behind HTTP links its clients in its own way, where nobody looks.
    if (client !== undefined) expect(client["contact"]).toBe(contact?.["name"]);
  });

  test("what the directory notes of a client comes once, and is a person's from then on", async () => {
    const { store, look } = await open();
    const id = await created(store, aClient({ details: "Fibre" }));
    const renamed = aClient({ name: "Ana P.", details: "Copper" });
    expect(await store.update(id, changed(renamed))).toMatchObject({ outcome: "updated" });
    const [client] = (await look("WhatsApp Client", { external_id: "4711" })) ?? [];
    // What a CRM behind HTTP makes of it is its own affair.
    if (client !== undefined) expect(client).toMatchObject({ client_name: "Ana P.", details: "Fibre" });
  });

  test("a client with odd texts is written once", async () => {
    const { store } = await open();
    const odd = aClient({ name: "Ña \0👍".repeat(60), address: "x".repeat(500), zone: "ñ".repeat(300) });
    const id = await created(store, odd);
    expect(await store.update(id, changed(odd))).toMatchObject({ outcome: "unchanged" });
  });
}
