/** Tests that each example receiver passes as a running server; one process serves all tests of a file. */
import { afterAll, describe, test } from "vitest";
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
} from "./http-crm.ts";

/** `start`: starts it at the first call. What this machine lacks is skipped, and said so; in CI it fails. */
export function describeEachReceiver(tests: (name: string, start: () => Promise<HttpCrm>) => void): void {
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
    tests(name, () => (running ??= start()));
  });
}
