/** The import that follows linking: complete when no piece of it is missing, in whatever order they came. */
import { expect, test } from "vitest";
import type { Fact } from "../../../hub/core/facts.ts";
import { type Worlds } from "./world.ts";

const piece = (order: number, { of = 3, syncType = "recent", login = "one" } = {}): Fact => ({
  kind: "history",
  syncType,
  progress: Math.round((100 * order) / of),
  import: true,
  done: order === of,
  piece: { login, order },
});

const paused: Fact = { kind: "history-paused", lacking: false };

export function imports(world: Worlds): void {
  const anImport = async () => {
    const { record, events, store } = await world();
    return {
      record,
      told: async () =>
        (await events()).filter(({ event }) => event === "history.synced").map(({ data }) => data),
      complete: async () => (await store.inbox.coverage("s1")).complete,
    };
  };

  test("an import whose last piece comes first is complete with the piece that was missing", async () => {
    const { record, told, complete } = await anImport();
    await record([piece(3), piece(1)]);
    expect([await complete(), await told()]).toEqual([false, []]);
    await record(piece(2));
    expect(await complete()).toBe(true);
    expect(await told()).toEqual([expect.objectContaining({ complete: true })]);
  });

  test("pieces of a complete import that come once more change nothing", async () => {
    const { record, told, complete } = await anImport();
    await record([piece(1), piece(2), piece(3), piece(2), piece(1)]);
    expect([await complete(), (await told()).length]).toEqual([true, 1]);
  });

  test("each kind has numbers of its own, and each login a history of its own", async () => {
    const { record, complete } = await anImport();
    await record([piece(1), piece(2), piece(3), piece(2, { of: 2, syncType: "full" })]);
    expect(await complete()).toBe(false);
    await record(piece(1, { of: 2, syncType: "full" }));
    expect(await complete()).toBe(true);
    await record(piece(3, { login: "two" }));
    expect(await complete()).toBe(false);
  });

  test("an import that comes no further is told once as not complete, and again when it did", async () => {
    const { record, told } = await anImport();
    await record(paused);
    expect(await told()).toEqual([]);
    await record([piece(1), piece(3)]);
    for (let times = 0; times < 2; times++) await record(paused);
    expect((await told()).map(({ complete }) => complete)).toEqual([false]);
    await record(piece(2));
    await record(paused);
    expect((await told()).map(({ complete }) => complete)).toEqual([false, true]);
  });

  test("numbers that begin later are complete when nothing more comes, unless something announced is not there", async () => {
    const { record, told } = await anImport();
    await record([piece(2), piece(3)]);
    await record({ kind: "history-paused", lacking: true });
    expect((await told()).map(({ complete }) => complete)).toEqual([false]);
    await record(piece(3));
    await record(paused);
    expect((await told()).map(({ complete }) => complete)).toEqual([false, true]);
  });
}
