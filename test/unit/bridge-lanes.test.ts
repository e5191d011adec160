import { expect, test } from "vitest";
import { chatLane, createLanes, runInAll, sessionLane } from "../../bridge/lanes.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("work of one lane runs one after the other, a failure included; other lanes do not wait", async () => {
  const lanes = createLanes();
  const order: string[] = [];
  const first = lanes.run("a", async () => {
    await turn();
    order.push("first");
    throw new Error("broken");
  });
  const second = lanes.run("a", () => Promise.resolve(void order.push("second")));
  await lanes.run("b", () => Promise.resolve(void order.push("other")));
  await expect(first).rejects.toThrow("broken");
  await second;
  expect(order).toEqual(["other", "first", "second"]);
});

test("works that hold several lanes never wait for each other for ever", async () => {
  const lanes = createLanes();
  const held = new Set<string>();
  const hold = async (names: string[]): Promise<void> => {
    for (const name of names) {
      expect(held.has(name)).toBe(false);
      held.add(name);
    }
    await turn();
    for (const name of names) held.delete(name);
  };
  const all = ["a", "b", "c", "d"].map((chat) => chatLane("s1", chat));
  const [a = "", b = "", c = "", d = ""] = all;
  const works: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n += 1) {
    works.push(runInAll(lanes, [c, a, b], () => hold([a, b, c])));
    works.push(runInAll(lanes, [d, b, b], () => hold([b, d])));
    // As a merge of two chats does: in the order of the names, one inside the other.
    works.push(lanes.run(a, () => lanes.run(d, () => hold([a, d]))));
    works.push(lanes.run(sessionLane("s1"), turn));
  }
  await Promise.all(works);
  expect(held.size).toBe(0);
  await expect(runInAll(lanes, [a], () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await runInAll(lanes, all, () => Promise.resolve("free"))).toBe("free");
});
