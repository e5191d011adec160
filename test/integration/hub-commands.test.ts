/** The operator's commands against a hub that runs: what they show, what they order, and how they end. */
import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SessionState } from "../../hub/core/session-state.ts";
import { runHubCommand } from "../../scripts/hub/program.ts";
import { aNewEvent } from "../support/builders.ts";
import { startFakeCrm } from "../support/fake-crm.ts";
import { minutes } from "../support/fixed-clock.ts";
import { SECRET } from "../support/outbox-rig.ts";
import { listIn, openHttpRig, recordOf, type HttpRig } from "../support/http-rig.ts";

interface Ended {
  code: number;
  out: string;
  err: string;
}

const commandsOf =
  (rig: HttpRig, env: Record<string, string> = {}, askSecret?: (what: string) => Promise<string>) =>
  async (...args: string[]): Promise<Ended> => {
    const said = { out: [] as string[], err: [] as string[] };
    const code = await runHubCommand(args, {
      env: { HUB_URL: rig.url, HUB_API_KEY: rig.key, HUB_DATA_DIR: "/nowhere", ...env },
      now: () => rig.clock.now(),
      out: (text) => void said.out.push(text),
      err: (text) => void said.err.push(text),
      ...(askSecret === undefined ? {} : { askSecret }),
    });
    return { code, out: said.out.join("\n"), err: said.err.join("\n") };
  };

const jsonOf = ({ out }: Ended): Record<string, unknown> => recordOf(JSON.parse(out));

describe("a command", () => {
  test("called in a way that makes no sense ends with 2 and says how it is meant", async () => {
    const hub = commandsOf(await openHttpRig());
    for (const args of [
      ["nonsense"],
      ["fix-session"],
      ["replay"],
      ["replay", "--after-seq", "x"],
      ["replay", "--session", "s1", "--chat", "", "--yes"],
      ["keys", "create", "--name", "x", "--scopes", "all"],
      ["keys", "rotate", "key_1", "--grace", "1e9"],
    ]) {
      const { code, err } = await hub(...args);
      expect([args, code]).toEqual([args, 2]);
      expect(err).not.toBe("");
    }
    expect(await hub("--help")).toMatchObject({ code: 0, err: "" });
  });

  test("without a hub, without a key or with a wrong one says what to do, and ends with 1", async () => {
    const rig = await openHttpRig();
    const gone = await commandsOf(rig, { HUB_URL: "http://127.0.0.1:1" })("sessions");
    expect([gone.code, gone.err]).toEqual([
      1,
      expect.stringContaining("No hub answers at http://127.0.0.1:1"),
    ]);
    const keyless = await commandsOf(rig, { HUB_API_KEY: "" })("sessions");
    expect([keyless.code, keyless.err]).toEqual([1, expect.stringContaining("set HUB_API_KEY")]);
    const wrong = await commandsOf(rig, { HUB_API_KEY: "wrong" })("sessions");
    expect([wrong.code, wrong.err]).toEqual([
      1,
      expect.stringContaining("HUB_API_KEY must be a key of the hub"),
    ]);
    const other = createServer((_request, response) => response.end("<html>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const stranger = await commandsOf(rig, { HUB_URL: `http://127.0.0.1:${port}` })(
      "keys",
      "revoke",
      "key_1",
    );
    expect([stranger.code, stranger.err]).toEqual([1, expect.stringContaining("is no hub")]);
  });
});

describe("status and sessions", () => {
  test("show what there is, and end with 1 when something needs a person", async () => {
    const rig = await openHttpRig();
    const hub = commandsOf(rig);
    await rig.session("shop");
    const well = await hub("status", "--json");
    // The version of the test's hub is its own.
    expect(jsonOf(well)).toMatchObject({
      ready: true,
      outbox: { pending: 0, dead: 0 },
      problems: [expect.stringMatching(/^The hub runs version 0\.0\.0-test/)],
    });
    expect(jsonOf(well)).toMatchObject({
      sessions: [
        { sessionId: "shop", figures: { attempts: 1, opened: 1, reconnects: 0, degradedSeconds: 0 } },
      ],
      safekeeping: { backup: { doneAt: null, failing: false }, drill: { doneAt: null } },
      putOff: [],
    });
    expect((await hub("status")).out).toMatch(/^backup: none yet; tried out: none yet$/m);
    await rig.store.marks.set("backup:made", rig.clock.now());
    await rig.store.marks.set("drill:failed", rig.clock.now());
    rig.clock.advance(minutes(4 * 60));
    const old = await hub("status");
    expect(old.out).toMatch(/^backup: 4 h ago; tried out: none yet, the last one FAILED$/m);
    expect(old.out).toContain("✖ The last backup is 4 h old");
    expect(old.out).toContain("✖ The last trial of a backup failed");
    rig.whatsapp.account("shop").closes(403);
    await expect
      .poll(async () => (await hub("status")).out)
      .toMatch(/✖ Session shop is banned: npm run hub -- fix-session shop/);
    expect((await hub("status")).code).toBe(1);

    expect((await hub("sessions")).out).toMatch(/shop +shop +error +banned +34600999888/);
    expect((await hub("sessions")).out).toMatch(
      /connects\/tries +reconnects +failing now +degraded +to connect/,
    );
    expect((await hub("sessions")).out).toMatch(/1\/1 +0 +0 +0 s +0\.0 s \/ 0\.0 s +0/);
    expect(jsonOf(await hub("sessions", "--json"))).toMatchObject({
      sessions: [{ figures: { startToConnectedMs: { count: 1 }, unreadable: { messages: 0 } } }],
    });
    const one = await hub("sessions", "shop");
    expect(one.out).toContain("→ Open WhatsApp on the phone and follow its notice.");
    expect(one.out).toMatch(/banned +403 +WhatsApp has locked this account/);
    expect(jsonOf(await hub("sessions", "shop", "--json"))).toMatchObject({
      session: { figures: { lastLosses: [{ code: "403" }] } },
    });
    expect(await hub("sessions", "nobody")).toMatchObject({
      code: 1,
      err: "There is no such session.",
    });
  });
});

describe("fix-session", () => {
  test("explains first, acts with --yes, and takes stronger means when milder ones were tried", async () => {
    const forced: { state: SessionState | null } = { state: null };
    const rig = await openHttpRig({
      change: (ctx) => ({
        ...ctx,
        sessions: {
          ...ctx.sessions,
          get: async (id) => {
            const session = await ctx.sessions.get(id);
            return { ...session, state: forced.state ?? session.state };
          },
        },
      }),
    });
    const hub = commandsOf(rig);
    await rig.session("shop");
    expect(await hub("fix-session", "shop")).toMatchObject({
      code: 0,
      out: expect.stringContaining("Nothing to do") as string,
    });

    await rig.post("/api/sessions/shop/disconnect");
    const plan = await hub("fix-session", "shop");
    expect([plan.code, plan.out]).toEqual([
      1,
      expect.stringContaining("To do it: npm run hub -- fix-session shop --yes"),
    ]);
    expect((await rig.get("/api/sessions/shop")).data["state"]).toBe("stopped");
    const done = await hub("fix-session", "shop", "--yes");
    expect([done.code, done.out]).toEqual([0, expect.stringContaining("Now: connected.")]);

    const session = await rig.store.sessions.get("shop");
    if (session === null) throw new Error("not there");
    await rig.store.sessions.save({ ...session, state: "degraded" }, []);
    forced.state = "degraded";
    expect(jsonOf(await hub("fix-session", "shop", "--json"))).toMatchObject({ plan: { act: "wait" } });
    rig.clock.advance(minutes(5));
    expect(jsonOf(await hub("fix-session", "shop", "--json"))).toMatchObject({ plan: { act: "restart" } });
    await rig.store.sessions.note("shop", { type: "order", text: 'restart, by the key "x"', reason: null });
    expect(jsonOf(await hub("fix-session", "shop", "--json"))).toMatchObject({ plan: { act: "soft" } });
    const soft = await hub("fix-session", "shop", "--yes");
    expect([soft.code, soft.out]).toEqual([0, expect.stringMatching(/socket +true/)]);
    await rig.store.sessions.save({ ...session, state: "degraded" }, []);
    rig.clock.advance(minutes(5));
    expect(jsonOf(await hub("fix-session", "shop", "--json"))).toMatchObject({ plan: { act: "person" } });
    expect(await hub("fix-session", "shop", "--undo")).toMatchObject({ code: 1, out: "" });
    rig.clock.advance(minutes(31));
    expect(jsonOf(await hub("fix-session", "shop", "--json"))).toMatchObject({ plan: { act: "restart" } });
  });
});

describe("replay", () => {
  test("counts first, and sends again with --yes", async () => {
    const rig = await openHttpRig();
    const hub = commandsOf(rig);
    const crm = await startFakeCrm({ secret: SECRET, now: () => rig.clock.now() });
    onTestFinished(() => crm.stop());
    await rig.session("shop");
    const { data } = await rig.post("/api/endpoints", { url: crm.url });
    await rig.store.events.append("shop", [aNewEvent(), aNewEvent()], rig.clock.now());
    const owed = await rig.store.outbox.count({ state: "pending" });
    await rig.post("/api/deliveries/dismiss", { endpointId: String(data["id"]) });
    const filter = ["--endpoint", String(data["id"]), "--state", "dismissed"];
    const dry = await hub("replay", ...filter);
    expect([dry.code, dry.out]).toEqual([
      0,
      expect.stringContaining(`${owed} deliveries match. Nothing was sent`),
    ]);
    expect(await rig.store.outbox.count({ state: "pending" })).toBe(0);
    expect((await hub("replay", ...filter, "--yes")).out).toContain(
      `${owed} deliveries are being sent again (job_`,
    );
    await rig.ctx.replays.idle();
    expect((await hub("replay", "--progress")).out).toMatch(
      new RegExp(`job_\\w{26} +done +${owed} of ${owed} `),
    );
    expect(await rig.store.outbox.count({ state: "pending" })).toBe(owed);
    expect((await hub("replay", ...filter)).out).toBe("No delivery matches.");
  });
});

describe("keys", () => {
  test("are made, listed, renewed and revoked", async () => {
    const rig = await openHttpRig();
    const hub = commandsOf(rig);
    const made = jsonOf(
      await hub(
        ...["keys", "create", "--name", "CRM", "--scopes", "read,send", "--sessions", "a,b"],
        ...["--from", "127.0.0.0/8, 10.0.0.0/8", "--json"],
      ),
    );
    expect(made).toMatchObject({ name: "CRM", scopes: ["read", "send"], sessions: ["a", "b"] });
    expect(made).toMatchObject({ allowedCidrs: ["127.0.0.0/8", "10.0.0.0/8"] });
    expect((await rig.get("/api/sessions", { key: String(made["key"]) })).status).toBe(200);
    expect((await hub("keys")).out).toMatch(/CRM +read send +a b +127\.0\.0\.0\/8 10\.0\.0\.0\/8/);
    const id = String(made["id"]);
    const renewed = await hub("keys", "rotate", id, "--grace", "60");
    expect(renewed.out).toMatch(/shown only now:\n\n {2}ihk_\w{8}_\w{43}$/);
    expect((await hub("keys", "revoke", id)).out).toBe(`${id} is revoked.`);
    expect((await hub("keys", "revoke", id)).code).toBe(1);
    expect((await rig.get("/api/sessions", { key: String(made["key"]) })).status).toBe(401);
    const log = await hub("audit");
    expect(log.out).toMatch(/tests +DELETE \/api\/keys\/{keyId} +key_\w+ +refused/);
    expect(log.out).toMatch(/tests +POST \/api\/keys +key_\w+ +done/);
  });
});

describe("endpoints", () => {
  test("are tried hop by hop, and one that fails ends the command with 1", async () => {
    const rig = await openHttpRig();
    const hub = commandsOf(rig);
    expect(await hub("endpoints", "test")).toMatchObject({ code: 0, out: "No endpoints." });
    const crm = await startFakeCrm({ secret: SECRET, now: () => rig.clock.now() });
    onTestFinished(() => crm.stop());
    await rig.post("/api/endpoints", { url: crm.url, secret: SECRET });
    expect((await hub("endpoints")).out).toContain(crm.url);
    const good = await hub("endpoints", "test");
    expect([good.code, good.out]).toEqual([0, expect.stringMatching(/ack +ok/)]);
    const dead = await rig.post("/api/endpoints", { url: "http://127.0.0.1:1/hook" });
    const all = await hub("endpoints", "test");
    expect([all.code, all.out]).toEqual([1, expect.stringMatching(/connect +FAILS/)]);
    expect((await hub("endpoints", "test", String(dead.data["id"]))).code).toBe(1);
    expect((await hub("endpoints", "test", "ep_unknown")).code).toBe(1);
    expect(listIn(jsonOf(await hub("endpoints", "list", "--json")), "endpoints")).toHaveLength(2);
  });
});

describe("users", () => {
  test("are added, listed, given passwords, shut out, let in and removed", async () => {
    const rig = await openHttpRig();
    const hub = commandsOf(rig);
    const logsIn = async (identifier: string, password: string): Promise<boolean> =>
      (await rig.post("/api/auth/login", { identifier, password }, { key: null })).status === 200;
    expect(await hub("users")).toMatchObject({ code: 0, out: "No users." });
    const added = await hub("users", "add", "ana", "--scopes", "read,send", "--sessions", "a,b");
    expect(added).toMatchObject({ code: 0, err: "" });
    const password = /shown only now:\n\n {2}(\w{20})$/.exec(added.out)?.[1] ?? "";
    expect(await logsIn("ana", password)).toBe(true);
    expect((await hub("users")).out).toMatch(/usr_\w{26} +ana +read send +a b +- /);

    expect((await hub("users", "disable", "Ana")).out).toContain("ana may not log in any more");
    expect(await logsIn("ana", password)).toBe(false);
    expect((await hub("users", "enable", "ana")).out).toBe("ana may log in again.");
    expect(await logsIn("ana", password)).toBe(true);
    const renewed = jsonOf(await hub("users", "password", "ana", "--json"));
    expect([await logsIn("ana", password), await logsIn("ana", String(renewed["password"]))]).toEqual([
      false,
      true,
    ]);

    const id = String(listIn(jsonOf(await hub("users", "list", "--json")), "users")[0]?.["id"]);
    expect((await hub("users", "remove", id)).out).toBe("ana is removed.");
    expect(await hub("users", "remove", "ana")).toMatchObject({ code: 1, err: 'There is no user "ana".' });
    expect((await hub("users", "add", "34600111222", "--scopes", "read")).code).toBe(1);
    expect((await hub("users", "add", "eva", "--scopes", "all")).code).toBe(2);
    const log = await hub("audit");
    for (const action of ["POST", "PUT", "DELETE"])
      expect(log.out).toMatch(new RegExp(`tests +${action} /api/users`));
    expect(log.out).not.toContain(password);
  });

  test("have the password that somebody types, which is shown nowhere", async () => {
    const rig = await openHttpRig();
    const asked: string[] = [];
    const typed = ["a good password", "another good one"];
    const hub = commandsOf(rig, {}, (what) => {
      asked.push(what);
      return Promise.resolve(typed[asked.length - 1] ?? "");
    });
    const added = await hub("users", "add", "ana", "--scopes", "read", "--ask");
    const changed = await hub("users", "password", "ana", "--ask");
    expect(added.out).toMatch(/^usr_\w{26} \(ana\) has the password that you gave\.$/);
    expect(asked).toEqual(["Password", "Password"]);
    expect(added.out + changed.out).not.toMatch(/good/);
    const body = { identifier: "ana", password: "another good one" };
    expect((await rig.post("/api/auth/login", body, { key: null })).status).toBe(200);
    expect(await commandsOf(rig)("users", "password", "ana", "--ask")).toMatchObject({ code: 2 });
  });
});
