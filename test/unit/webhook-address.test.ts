import { describe, expect, test } from "vitest";
import type { LookupAddress } from "node:dns";
import { HubError } from "../../hub/core/errors.ts";
import { createAddressGuard, type Resolve } from "../../hub/core/webhook-address.ts";

const resolvesTo =
  (...addresses: string[]): Resolve =>
  (_host, _options, callback) =>
    callback(
      null,
      addresses.map((address): LookupAddress => ({ address, family: address.includes(":") ? 6 : 4 })),
    );
const guard = createAddressGuard({ allowCidrs: [], allowedUrls: [], resolve: resolvesTo("93.184.216.34") });

const refusalOf = (call: () => void): string | null => {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof HubError && error.code === "VALIDATION_ERROR") return error.message;
    throw error;
  }
};

describe("addresses as they can be written", () => {
  test.each([
    ["127.0.0.1"],
    ["127.1"],
    ["2130706433"],
    ["0x7f.0.0.1"],
    ["0x7f000001"],
    ["0177.0.0.1"],
    ["①②⑦.⓪.⓪.①"],
    ["[::1]"],
    ["[0:0:0:0:0:0:0:1]"],
    ["[::ffff:127.0.0.1]"],
    ["[::ffff:7f00:1]"],
    ["10.1.2.3"],
    ["172.16.0.1"],
    ["172.31.255.255"],
    ["192.168.1.1"],
    ["100.64.0.1"],
    ["[fc00::1]"],
    ["[fd12:3456::1]"],
    ["198.18.0.1"],
  ])("%s is private, and the refusal names the setting", (host) => {
    expect(refusalOf(() => guard.check(`https://${host}/hook`))).toContain("HUB_WEBHOOK_ALLOW_CIDRS");
  });

  test.each([
    ["169.254.169.254"],
    ["[::ffff:169.254.169.254]"],
    ["100.100.100.200"],
    ["168.63.129.16"],
    ["[fd00:ec2::254]"],
    ["0.0.0.0"],
    ["0"],
    ["[::]"],
    ["[::7f00:1]"],
    ["[64:ff9b::7f00:1]"],
    ["[2002:7f00:1::]"],
    ["[2001::1]"],
    ["[fe80::1]"],
    ["224.0.0.1"],
    ["[ff02::1]"],
    ["240.0.0.1"],
    ["255.255.255.255"],
  ])("%s is never called, whatever is opened", (host) => {
    const open = createAddressGuard({
      allowCidrs: ["0.0.0.0/0", "::/0"],
      allowedUrls: [`https://${host}/hook`],
    });
    expect(refusalOf(() => guard.check(`https://${host}/hook`))).toContain("must not be called");
    expect(refusalOf(() => open.check(`https://${host}/hook`))).toContain("must not be called");
  });

  test.each([
    ["93.184.216.34"],
    ["172.15.0.1"],
    ["172.32.0.1"],
    ["11.0.0.1"],
    ["[2606:4700::1111]"],
    ["crm.example"],
  ])("%s is public", (host) => {
    expect(refusalOf(() => guard.check(`https://${host}/hook`))).toBeNull();
  });
});

describe("what a URL may be", () => {
  test.each([
    ["ftp://crm.example/"],
    ["file:///etc/passwd"],
    ["https://user:secret@crm.example/"],
    ["https://crm.example/#part"],
    ["crm.example/hook"],
    ["http://crm.example/hook"],
  ])("%s is refused", (url) => {
    expect(refusalOf(() => guard.check(url))).not.toBeNull();
  });

  test("plain http is allowed inside opened ranges only", async () => {
    const open = createAddressGuard({
      allowCidrs: ["10.0.0.0/8"],
      allowedUrls: [],
      resolve: resolvesTo("93.184.216.34"),
    });
    expect(refusalOf(() => open.check("http://10.0.0.7:8000/hook"))).toBeNull();
    expect(refusalOf(() => open.check("http://93.184.216.34/hook"))).toContain("Plain http");
    await expect(open.checkHost("http://crm.example/hook")).rejects.toThrow("Plain http");
  });

  test("the operator's own URL may be private and plain, and nothing else of its range", () => {
    const url = "http://127.0.0.1:8000/api/method/crm.webhook";
    const own = createAddressGuard({ allowCidrs: [], allowedUrls: [url] });
    expect(refusalOf(() => own.check(url))).toBeNull();
    expect(refusalOf(() => own.check("http://127.0.0.1:8000/api/method/other"))).not.toBeNull();
    expect(refusalOf(() => own.check("http://127.0.0.1:8001/api/method/crm.webhook"))).not.toBeNull();
    expect(refusalOf(() => own.checkIp("127.0.0.1"))).not.toBeNull();
  });
});

describe("names", () => {
  const ask = (lookup: ReturnType<typeof createAddressGuard>["lookup"], all = false) =>
    new Promise<unknown>((resolve, reject) =>
      lookup("crm.example", { all }, (error, address) => (error === null ? resolve(address) : reject(error))),
    );
  const guarded = (...addresses: string[]) =>
    createAddressGuard({ allowCidrs: [], allowedUrls: [], resolve: resolvesTo(...addresses) });

  test("are called at the addresses that were checked", async () => {
    expect(await ask(guarded("93.184.216.34").lookup)).toBe("93.184.216.34");
    expect(await ask(guarded("93.184.216.34", "2606:4700::1111").lookup, true)).toHaveLength(2);
  });

  test("with one private address among public ones are refused", async () => {
    await expect(ask(guarded("93.184.216.34", "127.0.0.1").lookup, true)).rejects.toThrow(
      "HUB_WEBHOOK_ALLOW_CIDRS",
    );
    await expect(ask(guarded("93.184.216.34", "::ffff:10.0.0.1").lookup)).rejects.toThrow("private range");
  });

  test("that lead to this machine are refused when they are set", async () => {
    const real = createAddressGuard({ allowCidrs: [], allowedUrls: [] });
    for (const host of ["localhost", "localhost.", "LOCALHOST", "crm.localhost"])
      await expect(real.checkHost(`https://${host}/hook`)).rejects.toThrow("HUB_WEBHOOK_ALLOW_CIDRS");
  });

  test("that nobody knows yet can be set, and fail when they are called", async () => {
    const unknown = createAddressGuard({
      allowCidrs: [],
      allowedUrls: [],
      resolve: (_host, _options, callback) =>
        callback(Object.assign(new Error("unknown"), { code: "ENOTFOUND" }), []),
    });
    await expect(unknown.checkHost("https://crm.example/hook")).resolves.toBeUndefined();
    await expect(ask(unknown.lookup)).rejects.toThrow("unknown");
    await expect(ask(guarded().lookup)).rejects.toThrow("no address");
  });

  test("that answer differently the second time are refused then", async () => {
    let asked = 0;
    const rebinding = createAddressGuard({
      allowCidrs: [],
      allowedUrls: [],
      resolve: (host, options, callback) =>
        resolvesTo(asked++ === 0 ? "93.184.216.34" : "127.0.0.1")(host, options, callback),
    });
    await expect(rebinding.checkHost("https://crm.example/hook")).resolves.toBeUndefined();
    await expect(ask(rebinding.lookup)).rejects.toThrow("private range");
  });
});
