/** What is erased is not to be found any more: not by asking, not on the disk. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { aMessageFact, anEndpoint } from "../support/builders.ts";
import { openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";
import { aPerson, bearing } from "../support/people.ts";

const CHAT = "34600111222@s.whatsapp.net";
const OTHER = "34600111333@s.whatsapp.net";

async function aHub(): Promise<{
  rig: HttpRig;
  dir: string;
  onDisk: (word: string) => Promise<string[]>;
}> {
  const dir = await mkdtemp(join(tmpdir(), "hub-erasure-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const rig = await openHttpRig({ file: join(dir, "hub.db") });
  await rig.session("s1");
  return {
    rig,
    dir,
    /** Names of the files in which these bytes stand. */
    onDisk: async (word) => {
      const names: string[] = [];
      for (const name of await readdir(dir))
        if ((await readFile(join(dir, name))).includes(word)) names.push(name);
      return names;
    },
  };
}

/** Enough for several pages, long ones among them. */
async function say(rig: HttpRig, chatId: string, word: string): Promise<void> {
  for (let n = 0; n < 60; n++)
    await rig.tell("s1", aMessageFact({ chatId, content: `${word} ${n} ${"x".repeat(n * 100)}` }));
  await rig.store.inbox.indexWords(1_000);
}

test("nothing of a chat that was erased stands in the database or its log, and its bridge sees no difference", async () => {
  const { rig, dir, onDisk } = await aHub();
  await say(rig, CHAT, "zanahoria");
  await say(rig, OTHER, "berenjena");
  // As the file was before a step of the schema.
  await writeFile(join(dir, "hub.db.schema-19"), "zanahoria");
  expect(await onDisk("zanahoria")).toContain("hub.db.schema-19");
  const gone = await rig.call("DELETE", `/api/messages/s1/chats/${CHAT}`);
  expect([gone.status, gone.data["erased"]]).toMatchObject([200, { messages: 60, files: 0 }]);
  expect(await onDisk("zanahoria")).toEqual([]);
  expect(await onDisk("berenjena")).not.toEqual([]);
  const { items } = await rig.store.audit.list({ limit: 5, page: 1 });
  expect(items.find(({ action }) => action.startsWith("DELETE"))).toMatchObject({
    outcome: "done",
    target: "s1",
  });
  expect(JSON.stringify(items)).not.toContain("34600111222");
  expect(await rig.store.inbox.chat("s1", CHAT)).toMatchObject({ messageCount: 0, removedMessages: 60 });
});

test("while a webhook has still to be told of some of it nothing is erased, and the refusal says what is owed", async () => {
  const { rig, onDisk } = await aHub();
  await rig.store.endpoints.save(anEndpoint());
  await rig.tell("s1", aMessageFact({ chatId: CHAT, content: "zanahoria" }));
  const path = `/api/messages/s1/chats/${CHAT}`;
  const refused = await rig.call("DELETE", path);
  expect([refused.status, refused.json["code"]]).toEqual([409, "STATE_CONFLICT"]);
  const { deliveries } = recordOf(refused.json["details"]);
  expect(deliveries).toBeGreaterThan(0);
  expect(await onDisk("zanahoria")).not.toEqual([]);
  await rig.store.outbox.dismiss({}, rig.clock.now());
  expect((await rig.call("DELETE", path)).status).toBe(200);
  expect(await onDisk("zanahoria")).toEqual([]);
});

test("a session is erased by a person alone, with all that was said and everybody in it", async () => {
  const { rig, onDisk } = await aHub();
  await say(rig, CHAT, "zanahoria");
  await rig.tell("s1", { kind: "contact", jid: CHAT, change: { name: "Calabaza" }, live: false });
  const byKey = await rig.call("DELETE", "/api/sessions/s1?purge=true");
  expect([byKey.status, byKey.json["code"]]).toEqual([403, "AUTHORIZATION_FAILED"]);
  expect(await onDisk("Calabaza")).not.toEqual([]);
  const { accessToken } = await aPerson(rig, { scopes: ["read", "admin"] });
  const byPerson = await rig.call("DELETE", "/api/sessions/s1?purge=true", bearing(accessToken));
  expect([byPerson.status, byPerson.data["erased"]]).toMatchObject([200, { messages: 60 }]);
  for (const word of ["zanahoria", "Calabaza"]) expect(await onDisk(word)).toEqual([]);
});

test("of an erased session nobody is left on the disk: no member of a group, no number, name, about or picture", async () => {
  const { rig, onDisk } = await aHub();
  const group = "120363000000000001@g.us";
  const [ana, owner] = ["34600111222@s.whatsapp.net", "34600777888@s.whatsapp.net"];
  await rig.store.endpoints.save(anEndpoint());
  const contact = { name: "Calabaza", pushName: "Apio", about: "Remolacha", pictureToken: "pic_Nabo" };
  await rig.tell(
    "s1",
    { kind: "contact", jid: ana, change: contact, live: true },
    { kind: "lid", lid: "55500@lid", phone: ana },
    {
      kind: "group",
      jid: group,
      subject: "Huerta",
      change: { owner, description: "Puerro" },
      by: ana,
      live: true,
    },
    { kind: "participants", jid: group, action: "add", participants: [ana, owner], by: owner },
    aMessageFact({ chatId: group, participant: owner, content: "zanahoria" }),
    aMessageFact({ chatId: ana, content: "zanahoria" }),
  );
  await rig.store.inbox.indexWords(100);
  await rig.store.outbox.dismiss({}, rig.clock.now());
  const { accessToken } = await aPerson(rig, { scopes: ["read", "admin"] });
  const gone = await rig.call("DELETE", "/api/sessions/s1?purge=true", bearing(accessToken));
  expect(gone.status).toBe(200);
  const traces = ["zanahoria", "Calabaza", "Apio", "Remolacha", "pic_Nabo", "Huerta", "Puerro", "55500@lid"];
  const left: string[] = [];
  for (const word of [...traces, "34600111222", "34600777888", "120363000000000001"])
    if ((await onDisk(word)).length > 0) left.push(word);
  expect(left).toEqual([]);
});
