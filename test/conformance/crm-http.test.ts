/** The http adapter against its example receivers: real Django, real PHP, real Laravel. */
import { afterAll, describe, expect, test } from "vitest";
import { openHttpAdapter } from "../../bridge/adapters/http/http-adapter.ts";
import { systemClock } from "../../bridge/clock.ts";
import { signBody } from "../../hub/contract/index.ts";
import { createLog } from "../../bridge/log.ts";
import {
  django,
  isLeftOut,
  laravel,
  php,
  startDjangoCrm,
  startLaravelCrm,
  startPhpCrm,
  type HttpCrm,
  type Needed,
} from "../support/http-crm.ts";
import { describeCrmAdapter } from "./crm-adapter.ts";

const log = createLog("silent");
/** An empty batch: all that can be wrong with it is who sent it. */
const BODY = JSON.stringify({ sessionId: "s1", position: null, items: [] });

describe.each<[string, () => Needed, () => Promise<HttpCrm>]>([
  ["Django", django, startDjangoCrm],
  ["PHP", php, startPhpCrm],
  ["Laravel", laravel, startLaravelCrm],
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
      const { url, secret, auth, documents, personEdits } = crm;
      const adapter = openHttpAdapter({ url, secret, auth }, { clock: systemClock, log });
      return { adapter, documents, personEdits };
    },
    { documents: false },
  );

  test.each<[string, (headers: Record<string, string>) => Record<string, string>, string]>([
    ["without a signature", ({ authorization = "" }) => ({ authorization }), BODY],
    ["with the signature of another body", (headers) => headers, BODY.replace("s1", "s2")],
    ["with the signature of the same body in other bytes", (headers) => headers, `${BODY} `],
    [
      "without the agreed Authorization",
      (headers) => ({ ...headers, authorization: "Token of somebody" }),
      BODY,
    ],
  ])("%s nothing is accepted", async (_how, change, body) => {
    const crm = await (running ??= start());
    const right = { authorization: crm.auth, "x-webhook-signature": signBody(crm.secret, BODY) };
    const post = async (headers: Record<string, string>, text: string): Promise<number> =>
      (await fetch(`${crm.url}/contacts/batch`, { method: "POST", headers, body: text })).status;
    expect(await post(change(right), body)).toBe(401);
    expect(await post(right, BODY)).toBe(200);
  });
});
