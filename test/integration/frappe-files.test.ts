/** Files of messages in a Frappe site: copied when that is wished, once, and sooner or later. */
import { expect, test } from "vitest";
import { aMessage, anImage } from "../conformance/crm/records.ts";
import { sends, serveFile } from "../support/file-server.ts";
import { minutes } from "../support/fixed-clock.ts";
import { closeFrappeRigs, openFrappeRig } from "../support/frappe-rig.ts";
import { JPEG } from "../support/sample-files.ts";

closeFrappeRigs();

const batch = <T>(items: T[], position: number | null = null) => ({ sessionId: "s1", position, items });

test("files are copied into the site when that is wished, once", async () => {
  const files = await serveFile(sends(JPEG));
  const { site, adapter } = await openFrappeRig({}, { copyMedia: true });
  const message = aMessage({ messageId: "A", ...anImage({ url: `${files.url}/m/abc` }) });
  await adapter.upsertMessages(batch([message]));
  await adapter.upsertMessages(batch([message]));
  await files.close();
  expect(site.uploads).toEqual([{ filename: "i.jpg", bytes: JPEG.length, docname: "WAMSG-00001" }]);
  expect(site.rows("WhatsApp Message Media")).toMatchObject([
    { file: "/private/files/i.jpg", filename: "i.jpg" },
  ]);
});

test("files that cannot be copied cost no message", async () => {
  const files = await serveFile((_request, response) => response.writeHead(404).end());
  const { site, adapter, logged } = await openFrappeRig({}, { copyMedia: true });
  const message = aMessage({ fromMe: true, ...anImage({ url: `${files.url}/m/abc` }) });
  expect(await adapter.upsertMessages(batch([message]))).toMatchObject([{ outcome: "created" }]);
  await files.close();
  expect(site.rows("WhatsApp Message")).toHaveLength(1);
  expect(logged("frappe.media_not_copied")).toHaveLength(1);
});

test("files that could not be copied are copied at a later word of their message, and not asked for each time", async () => {
  let isThere = false;
  const files = await serveFile((request, response) => {
    if (isThere) sends(JPEG)(request, response);
    else response.writeHead(503).end();
  });
  const { site, adapter, clock } = await openFrappeRig({}, { copyMedia: true });
  const message = aMessage({ messageId: "A", ...anImage({ url: `${files.url}/m/abc` }) });
  await adapter.upsertMessages(batch([message], 1));
  isThere = true;
  await adapter.upsertMessages(batch([message], 2));
  expect(files.requests).toBe(1);
  clock.advance(minutes(11));
  await adapter.upsertMessages(batch([message], 3));
  await adapter.upsertMessages(batch([message], 4));
  await files.close();
  expect(site.uploads).toHaveLength(1);
  expect(site.rows("WhatsApp Message Media")).toMatchObject([{ file: "/private/files/i.jpg" }]);
});

test("files of a message whose bridge was killed after writing it are copied by the next one, once", async () => {
  const files = await serveFile(sends(JPEG));
  const { site, adapter, reopen } = await openFrappeRig({}, { copyMedia: true });
  const message = aMessage({ messageId: "A", fromMe: true, ...anImage({ url: `${files.url}/m/abc` }) });
  site.troubles(({ path }) => (path.endsWith("upload_file") ? { kind: "refused" } : null));
  await adapter.upsertMessages(batch([message], 1));
  site.troubles();
  expect(site.uploads).toEqual([]);
  await reopen({ copyMedia: true }).upsertMessages(batch([message], 2));
  const third = reopen({ copyMedia: true });
  site.requests();
  await third.upsertMessages(batch([message], 3));
  expect(site.requests().filter(({ path }) => path.includes("WAMSG"))).toEqual([]);
  await files.close();
  expect(site.uploads).toHaveLength(1);
  expect(site.rows("WhatsApp Message")).toMatchObject([{ status: "Sent" }]);
  expect(site.rows("WhatsApp Message Media")).toMatchObject([
    { file: "/private/files/i.jpg", remote_media_id: "med_00000000000000000000000001" },
  ]);
});
