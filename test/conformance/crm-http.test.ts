/** The http adapter against its example receivers: real Django, real PHP. */
import { afterAll, describe, test } from "vitest";
import { openHttpAdapter } from "../../bridge/adapters/http/http-adapter.ts";
import { systemClock } from "../../bridge/clock.ts";
import { createLog } from "../../bridge/log.ts";
import {
  django,
  isLeftOut,
  php,
  startDjangoCrm,
  startPhpCrm,
  type HttpCrm,
  type Needed,
} from "../support/http-crm.ts";
import { describeCrmAdapter } from "./crm-adapter.ts";

const log = createLog("silent");

describe.each<[string, () => Needed, () => Promise<HttpCrm>]>([
  ["Django", django, startDjangoCrm],
  ["PHP", php, startPhpCrm],
])("%s", (name, find, start) => {
  const needed = find();
  if (isLeftOut(needed)) {
    test.skip("missing" in needed ? needed.missing : name, () => undefined);
    return;
  }
  let running: Promise<HttpCrm> | undefined;
  afterAll(async () => (await running)?.stop());

  // Starting a process takes longer than a test: one serves them all, emptied in between.
  describeCrmAdapter(
    `http, received by ${name}`,
    async () => {
      const crm = await (running ??= start());
      crm.empty();
      const { url, secret, auth, documents } = crm;
      return { adapter: openHttpAdapter({ url, secret, auth }, { clock: systemClock, log }), documents };
    },
    { documents: false },
  );
});
