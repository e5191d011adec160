/** The acts of the demo, in order. Each does what a user would do, and returns the figures it saw. */
import { until } from "../../test/support/until.ts";
import type { Screen } from "./screen.ts";
import type { Stage } from "./stage.ts";

export const SESSION = "demo";

/** The account that the system before this one took 153 seconds to take over. */
const ACCOUNT = { contacts: 327, chats: 45, messages: 985 };
const LIVE_FROM_CONTACTS = 20;
const LIVE_FROM_HUB = 5;
const BURST = 400;
const BURST_PER_SECOND = 100;

interface Totals {
  contacts: number;
  chats: number;
  messages: number;
}

interface Page {
  total: number;
}

const seconds = (ms: number): number => Math.round(ms / 10) / 100;

/** Act 1: a session, its QR code on the screen, a phone that scans it. */
export async function link(
  stage: Stage,
  screen: Screen,
  whenToScan: () => Promise<void>,
): Promise<{ scannedAt: number; seconds: number }> {
  screen.heading("1 · Linking a WhatsApp account");
  const account = await stage.whatsapp.createAccount({ preset: "mission" });
  await stage.hub.post("/api/sessions", { sessionId: SESSION, sessionName: "Demo shop", fromFrappe: true });
  await stage.hub.post(`/api/sessions/${SESSION}/connect`);
  const { qr } = await until("a QR code", () => readQr(stage));
  await screen.qr(qr);
  await whenToScan();
  const scannedAt = performance.now();
  const outcome = await stage.whatsapp.scanQr(qr, account.number);
  if (outcome.outcome !== "paired") throw new Error(`The phone did not link: ${JSON.stringify(outcome)}`);
  await until("the session connected", async () => {
    const { isConnected } = await stage.hub.get<{ isConnected: boolean }>(`/api/sessions/${SESSION}/status`);
    return isConnected;
  });
  const took = seconds(performance.now() - scannedAt);
  screen.good(`connected ${took} s after the scan`);
  return { scannedAt, seconds: took };
}

async function readQr(stage: Stage): Promise<{ qr: string } | null> {
  const session = await stage.hub.get<{ hasQR: boolean }>(`/api/sessions/${SESSION}/status`);
  return session.hasQR ? stage.hub.get<{ qr: string }>(`/api/sessions/${SESSION}/qr`) : null;
}

async function totals({ hub }: Stage): Promise<Totals> {
  const [contacts, chats, messages] = await Promise.all([
    hub.get<Page>(`/api/contacts/${SESSION}?limit=1&isGroup=false`),
    hub.get<Page>(`/api/messages/${SESSION}/chats?limit=1`),
    hub.get<Page>(`/api/messages/${SESSION}?limit=1`),
  ]);
  return { contacts: contacts.total, chats: chats.total, messages: messages.total };
}

/** Act 2: contacts, chats and messages arrive. */
export async function watchHistory(
  stage: Stage,
  screen: Screen,
  scannedAt: number,
): Promise<Totals & { seconds: number }> {
  screen.heading("2 · Its history arrives");
  let seen: Totals = { contacts: 0, chats: 0, messages: 0 };
  await until(
    "all contacts, chats and messages readable over REST",
    async () => {
      seen = await totals(stage);
      screen.progress(`${seen.contacts} contacts · ${seen.chats} chats · ${seen.messages} messages`);
      return (
        seen.contacts >= ACCOUNT.contacts && seen.chats >= ACCOUNT.chats && seen.messages >= ACCOUNT.messages
      );
    },
    { timeoutMs: 60_000 },
  );
  const took = seconds(performance.now() - scannedAt);
  screen.fact("contacts", seen.contacts);
  screen.fact("chats", seen.chats);
  screen.fact("messages", seen.messages);
  screen.good(`all of it readable over REST ${took} s after the scan`);
  return { ...seen, seconds: took };
}

/** Act 3: people write, the CRM gets webhooks; the CRM answers, people receive it, and their receipts come back. */
export async function talk(stage: Stage, screen: Screen): Promise<number> {
  screen.heading("3 · Live messages, both ways");
  const people = await stage.whatsapp.contacts((await soleAccount(stage)).number);
  for (let n = 0; n < LIVE_FROM_CONTACTS; n++) {
    const from = people[n % people.length];
    if (from === undefined) throw new Error("the demo account has no contacts");
    await stage.whatsapp.receive({
      kind: "text",
      text: `Hello, this is question ${n + 1}`,
      from: from.number,
    });
  }
  await until(`${LIVE_FROM_CONTACTS} messages at the CRM`, () => {
    screen.progress(`${stage.crm.messages().size} of ${LIVE_FROM_CONTACTS} webhooks delivered`);
    return stage.crm.messages().size >= LIVE_FROM_CONTACTS;
  });
  screen.good(
    `${LIVE_FROM_CONTACTS} messages from contacts reached the CRM, each with a signature that checks`,
  );

  const sent: string[] = [];
  for (const person of people.slice(0, LIVE_FROM_HUB)) {
    const body = { to: person.number, type: "text", message: `Hello ${person.pushName}, how can we help?` };
    sent.push((await stage.hub.post<{ messageId: string }>(`/api/messages/${SESSION}/send`, body)).messageId);
  }
  await until("every sent message decrypted by its contact", async () => {
    const read = await stage.whatsapp.sent();
    return sent.every((id) => read.some((message) => message.id === id));
  });
  await until(
    "the delivery receipts at the CRM",
    () => (stage.crm.counts().get("message.delivered") ?? 0) >= LIVE_FROM_HUB,
  );
  screen.good(
    `${LIVE_FROM_HUB} answers were decrypted by the contacts, and their receipts came back as webhooks`,
  );
  return LIVE_FROM_CONTACTS + LIVE_FROM_HUB;
}

async function soleAccount({ whatsapp }: Stage) {
  const [account] = await whatsapp.accounts();
  if (account === undefined) throw new Error("WhatsApp has no account");
  return account;
}

/** Act 4: the hub is killed in the middle of a burst, and started again; every message is counted. */
export async function survive(stage: Stage, screen: Screen): Promise<{ lost: number; duplicated: number }> {
  screen.heading("4 · kill -9 in the middle of a burst");
  const before = stage.crm.messages().size;
  const burst = await stage.whatsapp.startBurst({
    count: BURST,
    perSecond: BURST_PER_SECOND,
    contacts: 25,
    text: "burst",
  });
  await until("a third of the burst at the CRM", () => stage.crm.messages().size >= before + BURST / 3, {
    everyMs: 2,
  });
  await stage.killHub();
  const { receipted, unacked } = await stage.whatsapp.ledgerSummary();
  screen.bad(
    `hub killed; WhatsApp had ${receipted} receipts from it and ${unacked} messages still to hand over`,
  );
  const readyMs = await stage.restartHub();
  screen.good(`hub ready again after ${seconds(readyMs)} s, without a QR code`);
  await until(
    "the rest of the burst at the CRM",
    async () => {
      screen.progress(`${stage.crm.messages().size - before} of ${BURST} delivered`);
      const { finished } = await stage.whatsapp.burst(burst.id);
      const { unacked: open } = await stage.whatsapp.ledgerSummary();
      return finished && open === 0 && stage.crm.messages().size >= before + BURST;
    },
    { timeoutMs: 60_000 },
  );
  await until("the outbox empty", async () => {
    const { pending, retrying } = await stage.hub.get<{ pending: number; retrying: number }>(
      "/api/deliveries/stats",
    );
    return pending + retrying === 0;
  });
  const figures = await judge(stage);
  screen.fact("lost", figures.lost);
  screen.fact("duplicated", figures.duplicated);
  return figures;
}

/** WhatsApp's own book against the CRM's. */
async function judge({ whatsapp, crm }: Stage): Promise<{ lost: number; duplicated: number }> {
  const got = crm.messages();
  const owed = await whatsapp.ledger({ limit: 100_000 });
  const fromContacts = owed.filter((entry) => entry.contact !== entry.account && entry.kind === "text");
  return {
    lost: fromContacts.filter((entry) => !got.has(entry.id)).length,
    duplicated: [...got.values()].filter((times) => times > 1).length,
  };
}
