/** D11: encryption that cannot be trusted ends in a coded failure, and never in a plain connection. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerOptions } from "node:https";
import { createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { openOutboxRig } from "../support/outbox-rig.ts";
import { createTlsCertificate } from "../whatsapp/wire/tls-certificate.ts";

const run = promisify(execFile);
const POST_ONCE = fileURLToPath(new URL("../support/post-once.ts", import.meta.url));

interface SecureCrm {
  port: number;
  /** Requests that got through. */
  requests(): number;
}

async function secureCrm(options: ServerOptions): Promise<SecureCrm> {
  let requests = 0;
  const server = createServer(options, (request, response) => {
    requests += 1;
    request.resume();
    response.end('{"success":true}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    requests: () => requests,
  };
}

const certificate = (names: string[] = [], now = new Date()): ServerOptions => {
  const { certificate: cert, privateKey: key } = createTlsCertificate(names, now);
  return { cert, key };
};
const LONG_AGO = new Date("2020-01-01T00:00:00Z");

describe("D11", () => {
  test.each<[string, ServerOptions, RegExp]>([
    ["self-signed", certificate(), /SELF_SIGNED/],
    ["expired", certificate([], LONG_AGO), /SELF_SIGNED|EXPIRED/],
    [
      "spoken in TLS 1.1",
      { ...certificate(), minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
      /^EPROTO$|PROTOCOL|SSL/,
    ],
  ])(
    "a certificate that is %s: the endpoint's failure, told at the hop where it stops",
    async (_what, options, code) => {
      const rig = await openOutboxRig();
      const crm = await secureCrm(options);
      const { id } = await rig.endpoint({ url: `https://127.0.0.1:${crm.port}/hook` });
      await rig.says("34600111222");
      await rig.dispatcher.idle();
      const [delivery] = await rig.deliveries();
      expect(delivery).toMatchObject({ state: "retrying", failure: "endpoint" });
      expect(delivery?.lastError).toMatch(code);
      expect(crm.requests()).toBe(0);
      const failed = (await rig.endpoints.test(id)).hops.find(({ ok }) => !ok);
      expect(failed?.hop).toBe("tls");
    },
  );

  test("a handshake that stalls ends at the deadline", async () => {
    const rig = await openOutboxRig();
    const server = createPlainServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await rig.endpoint({ url: `https://127.0.0.1:${port}/hook` }, { timeoutMs: 5000 });
    await rig.says("34600111222");
    await rig.dispatcher.idle();
    expect((await rig.deliveries())[0]).toMatchObject({ state: "retrying", lastError: "ETIMEDOUT" });
  });

  test("a trusted certificate is accepted for its own names, and refused for others", async () => {
    const { certificate: cert, privateKey: key } = createTlsCertificate([]);
    const crm = await secureCrm({ cert, key });
    const dir = await mkdtemp(join(tmpdir(), "hub-tls-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const trusted = join(dir, "ca.pem");
    await writeFile(trusted, cert);
    const post = async (host: string): Promise<unknown> => {
      const args = ["--import", "tsx", POST_ONCE, `https://${host}:${crm.port}/hook`];
      const { stdout } = await run(process.execPath, args, {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted },
      });
      return JSON.parse(stdout);
    };
    expect(await post("127.0.0.1")).toMatchObject({
      answer: { kind: "answered", status: 200, body: '{"success":true}' },
    });
    expect(await post("localhost")).toMatchObject({
      answer: { kind: "unanswered", code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      failedAt: "tls",
    });
    expect(crm.requests()).toBe(1);
  });

  describe("an authority of the endpoint's own", () => {
    const signed = createTlsCertificate([]);
    const other = createTlsCertificate([]);
    const here = { cert: signed.certificate, key: signed.privateKey };

    test("is trusted for its names by that endpoint alone, in deliveries and in its test", async () => {
      const rig = await openOutboxRig();
      const crm = await secureCrm(here);
      const url = `https://127.0.0.1:${crm.port}/hook`;
      const trusting = await rig.endpoint(
        { url },
        { ca: ["of ours", rootCertificates[0], signed.certificate].join("\n") },
      );
      const without = await rig.endpoint({ url });
      await rig.says("34600111222");
      await rig.dispatcher.idle();
      const ended = new Map((await rig.deliveries()).map((one) => [one.endpointId, one]));
      expect(ended.get(trusting.id)).toMatchObject({ state: "delivered" });
      expect(ended.get(without.id)?.lastError).toMatch(/SELF_SIGNED/);
      expect((await rig.endpoints.test(trusting.id)).hops.every(({ ok }) => ok)).toBe(true);
      expect(crm.requests()).toBe(2);

      await rig.endpoints.update(trusting.id, { url: `https://localhost:${crm.port}/hook` });
      const { hops } = await rig.endpoints.test(trusting.id);
      expect(hops.find(({ ok }) => !ok)).toMatchObject({
        hop: "tls",
        detail: "ERR_TLS_CERT_ALTNAME_INVALID",
      });
    });

    test("may be one that another one signed: who that is need not be known", async () => {
      const rig = await openOutboxRig();
      const root = createTlsCertificate([], undefined, { commonName: "Root" });
      const between = createTlsCertificate([], undefined, { commonName: "Between", signedBy: root });
      const { certificate: cert, privateKey: key } = createTlsCertificate([], undefined, {
        ...{ commonName: "CRM", signedBy: between },
      });
      const crm = await secureCrm({ cert, key });
      await rig.endpoint({ url: `https://127.0.0.1:${crm.port}/hook` }, { ca: between.certificate });
      await rig.says("34600111222");
      await rig.dispatcher.idle();
      expect(await rig.deliveries()).toMatchObject([{ state: "delivered" }]);
    });

    test("counts from the change on, also for connections that were kept, and goes when it is taken away", async () => {
      const rig = await openOutboxRig();
      const crm = await secureCrm(here);
      const { id } = await rig.endpoint(
        { url: `https://127.0.0.1:${crm.port}/hook` },
        { ca: other.certificate },
      );
      const delivers = async (): Promise<string | undefined> => {
        const { id: said } = await rig.says("34600111222");
        await rig.dispatcher.idle();
        return (await rig.deliveries()).find(({ eventId }) => eventId === said)?.state;
      };
      expect(await delivers()).toBe("retrying");
      await rig.endpoints.update(id, { ca: signed.certificate });
      await rig.endpoints.resume(id);
      await rig.after(60_000);
      expect(await delivers()).toBe("delivered");
      await rig.endpoints.update(id, { ca: null });
      expect(await delivers()).toBe("retrying");
    });

    test("does not let an old version of TLS through", async () => {
      const rig = await openOutboxRig();
      const crm = await secureCrm({
        ...here,
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
        ciphers: "DEFAULT@SECLEVEL=0",
      });
      const { id } = await rig.endpoint(
        { url: `https://127.0.0.1:${crm.port}/hook` },
        { ca: signed.certificate },
      );
      expect((await rig.endpoints.test(id)).hops.find(({ ok }) => !ok)?.hop).toBe("tls");
      expect(crm.requests()).toBe(0);
    });
  });
});
