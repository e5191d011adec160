/** The real process, started with wrong settings: it says all that is wrong at once, and nothing happens. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startHubProcess } from "../support/hub-process.ts";
import { StartError } from "../support/product-process.ts";

test(
  "five wrong settings are one message that names each, and no folder is made",
  { timeout: 60_000 },
  async () => {
    const root = mkdtempSync(join(tmpdir(), "hub-settings-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const dataDir = join(root, "data");
    const env = {
      HUB_HOST: "http://127.0.0.1",
      HUB_MASTER_KEY: "not 32 bytes",
      HUB_PUBLIC_URL: "https://ana:secret@hub.example/?x=1",
      HUB_WEBHOOK_URL: "http://169.254.169.254/hook",
      HUB_WEBHOOK_SECRET: "whsec_not-base64!",
    };
    const error = await startHubProcess({ dataDir, env }).then(
      ({ kill }) => kill(),
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ ending: 1 });
    const said = error instanceof Error ? error.message : "";
    expect(said.split("\n").slice(1).join("\n")).toBe(
      [
        "Invalid configuration:",
        "✖ use an IP address or the name of a host, such as 127.0.0.1\n  → at HUB_HOST",
        "✖ use 32 bytes, as 64 hex digits or as base64\n  → at HUB_MASTER_KEY",
        "✖ leave out everything from ? or # on\n  → at HUB_PUBLIC_URL",
        "✖ leave out user name and password\n  → at HUB_PUBLIC_URL",
        "✖ leads to 169.254.169.254, which must not be called\n  → at HUB_WEBHOOK_URL",
        "✖ after whsec_, use padded base64\n  → at HUB_WEBHOOK_SECRET",
      ].join("\n"),
    );
    expect(existsSync(dataDir)).toBe(false);
  },
);
