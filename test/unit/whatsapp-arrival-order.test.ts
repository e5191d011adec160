import { expect, test } from "vitest";
import { createArrivalOrder } from "../../hub/whatsapp/arrival-order.ts";
import { createInFlightStanzas, type InFlight } from "../../hub/whatsapp/in-flight.ts";
import { until } from "../support/until.ts";

const stanzas = createInFlightStanzas("s1");
const arrive = (id: string, from = "111@lid"): InFlight =>
  stanzas.add({ tag: "message", attrs: { id, from }, content: [] }, new Date(0));

test("a chat's messages come out as they arrived, other chats do not wait", () => {
  const order = createArrivalOrder();
  const out: string[] = [];
  const [a, b, c] = [arrive("a"), arrive("b"), arrive("c")];
  const other = arrive("x", "222@lid");
  for (const stanza of [a, b, c, other]) order.arrived(stanza);
  order.ready(c, () => out.push("c"));
  order.ready(other, () => out.push("x"));
  order.ready(b, () => out.push("b"));
  expect(out).toEqual(["x"]);
  order.ready(a, () => out.push("a"));
  expect(out).toEqual(["x", "a", "b", "c"]);
  order.stop();
});

test("a chat is the same by its hidden id and by its number", () => {
  const order = createArrivalOrder();
  const out: string[] = [];
  const stanza = (attrs: Record<string, string>): InFlight =>
    stanzas.add({ tag: "message", attrs, content: [] }, new Date(0));
  const said = [
    stanza({ id: "a", from: "111@lid", sender_pn: "34600111222@s.whatsapp.net" }),
    stanza({ id: "b", from: "34600111222:3@s.whatsapp.net", sender_lid: "111@lid" }),
    stanza({ id: "c", from: "9@lid", recipient: "111@lid", peer_recipient_pn: "34600111222@s.whatsapp.net" }),
  ];
  for (const each of said) order.arrived(each);
  for (const each of said.toReversed()) order.ready(each, () => out.push(each.id));
  expect(out).toEqual(["a", "b", "c"]);
  order.stop();
});

test("what failed holds nobody", () => {
  const order = createArrivalOrder();
  const out: string[] = [];
  const [a, b] = [arrive("a"), arrive("b")];
  order.arrived(a);
  order.arrived(b);
  order.ready(b, () => out.push("b"));
  order.gone(a);
  expect(out).toEqual(["b"]);
  order.stop();
});

test("nobody waits longer than two seconds, and the late one still comes", async () => {
  const order = createArrivalOrder();
  const out: string[] = [];
  const [a, b] = [arrive("a"), arrive("b")];
  order.arrived(a);
  order.arrived(b);
  order.ready(b, () => out.push("b"));
  const began = performance.now();
  await until("the wait to end", () => out.length > 0, { timeoutMs: 6000 });
  expect(performance.now() - began).toBeGreaterThan(1900);
  order.ready(a, () => out.push("a"));
  expect(out).toEqual(["b", "a"]);
  order.stop();
});

test("at the end everything that waits goes out, in order", () => {
  const order = createArrivalOrder();
  const out: string[] = [];
  const [a, b, c] = [arrive("a"), arrive("b"), arrive("c")];
  for (const stanza of [a, b, c]) order.arrived(stanza);
  order.ready(b, () => out.push("b"));
  order.ready(c, () => out.push("c"));
  order.stop();
  expect(out).toEqual(["b", "c"]);
});
