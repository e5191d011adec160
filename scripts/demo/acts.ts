/** The acts of the demo, in order. Each does what a user would do, and returns the figures it saw. */
import { until } from "../../test/support/until.ts";
import { judge, type Judgement } from "./judge.ts";
import type { Screen } from "./screen.ts";
import type { Stage } from "./stage.ts";

export const SESSION = "demo";

/** The account that the system before this one took 153 seconds to take over. */
export const ACCOUNT = { contacts: 327, chats: 45, messages: 985 };
const LIVE_FROM_CONTACTS = 20;
const LIVE_FROM_HUB = 5;
const BURST = 400;
const BURST_PER_SECOND = 100;

export interface Totals {
  contacts: number;
  chats: number;
  messages: number;
}

interface Page {
  total: number;
}

export const seconds = (ms: number): number => Math.round(ms / 10) / 100;

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

export async function readQr(stage: Stage, session = SESSION): Promise<{ qr: string } | null> {
  const { hasQR } = await stage.hub.get<{ hasQR: boolean }>(`/api/sessions/${session}/status`);
  return hasQR ? stage.hub.get<{ qr: string }>(`/api/sessions/${session}/qr`) : null;
}

export async function hubTotals({ hub }: Stage): Promise<Totals> {
  const [contacts, chats, messages] = await Promise.all([
    hub.get<Page>(`/api/contacts/${SESSION}?limit=1&isGroup=false`),
    hub.get<Page>(`/api/messages/${SESSION}/chats?limit=1`),
    hub.get<Page>(`/api/messages/${SESSION}?limit=1`),
  ]);
  return { contacts: contacts.total, chats: chats.total, messages: messages.total };
}

async function crmTotals({ crm }: Stage): Promise<Totals> {
  const [contacts, chats, messages] = await Promise.all([
    crm.count("WhatsApp Contact", [["is_group", "=", 0]]),
    crm.count("WhatsApp Conversation"),
    crm.count("WhatsApp Message"),
  ]);
  return { contacts, chats, messages };
}

/** Waited for; whether it is exactly that is judged afterwards. */
const hasArrived = ({ contacts, chats, messages }: Totals): boolean =>
  contacts >= ACCOUNT.contacts && chats >= ACCOUNT.chats && messages >= ACCOUNT.messages;
export const areSame = (one: Totals, other: Totals): boolean =>
  one.contacts === other.contacts && one.chats === other.chats && one.messages === other.messages;
const inWords = ({ contacts, chats, messages }: Totals): string =>
  `${contacts} contacts · ${chats} chats · ${messages} messages`;

/** Act 2: the history arrives in the hub, and the CRM fills itself from there; nobody asked for it. */
export async function watchHistory(
  stage: Stage,
  screen: Screen,
  scannedAt: number,
): Promise<{ hub: Totals; crm: Totals; secondsToHub: number; secondsToCrm: number }> {
  screen.heading("2 · Its history arrives, and the CRM fills itself");
  const whole = async (where: string, totals: () => Promise<Totals>): Promise<Totals> =>
    until(
      `all contacts, chats and messages in ${where}`,
      async () => {
        const seen = await totals();
        screen.progress(`${where}: ${inWords(seen)}`);
        return hasArrived(seen) ? seen : null;
      },
      { timeoutMs: 120_000 },
    );
  const hub = await whole("the hub", () => hubTotals(stage));
  const secondsToHub = seconds(performance.now() - scannedAt);
  screen.good(`hub: ${inWords(hub)}, readable over REST ${secondsToHub} s after the scan`);
  const crm = await whole("the CRM", () => crmTotals(stage));
  const secondsToCrm = seconds(performance.now() - scannedAt);
  screen.good(`CRM: ${inWords(crm)}, all there ${secondsToCrm} s after the scan`);
  return { hub, crm, secondsToHub, secondsToCrm };
}

const incoming = ({ crm }: Stage): Promise<number> =>
  crm.count("WhatsApp Message", [["direction", "=", "Incoming"]]);

/** Act 3: people write, the CRM has it; the CRM answers, people receive it, and their receipts come back. */
export async function talk(stage: Stage, screen: Screen): Promise<number> {
  screen.heading("3 · Live messages, both ways");
  const people = await stage.whatsapp.contacts((await soleAccount(stage)).number);
  const before = await incoming(stage);
  for (let n = 0; n < LIVE_FROM_CONTACTS; n++) {
    const from = people[n % people.length];
    if (from === undefined) throw new Error("the demo account has no contacts");
    await stage.whatsapp.receive({
      kind: "text",
      text: `Hello, this is question ${n + 1}`,
      from: from.number,
    });
  }
  await until(`${LIVE_FROM_CONTACTS} messages in the CRM`, async () => {
    const arrived = (await incoming(stage)) - before;
    screen.progress(`${arrived} of ${LIVE_FROM_CONTACTS} in the CRM`);
    return arrived >= LIVE_FROM_CONTACTS;
  });
  screen.good(`${LIVE_FROM_CONTACTS} messages from contacts are in the CRM, each by a signed webhook`);

  const sent: string[] = [];
  for (const person of people.slice(0, LIVE_FROM_HUB)) {
    const { message_id } = await stage.crm.method<{ message_id: string }>("messages.send_message", {
      session_name: SESSION,
      to: person.number,
      message: `Hello ${person.pushName}, how can we help?`,
      message_type: "text",
    });
    sent.push(message_id);
  }
  await until("every sent message decrypted by its contact", async () => {
    const read = await stage.whatsapp.sent();
    return sent.every((id) => read.some((message) => message.id === id));
  });
  await until("the delivery receipts in the CRM", async () => {
    const states = await Promise.all(
      sent.map((id) =>
        stage.crm.count("WhatsApp Message", [
          ["message_id", "=", id],
          ["status", "in", ["Delivered", "Read"]],
        ]),
      ),
    );
    return states.every((count) => count === 1);
  });
  screen.good(
    `${LIVE_FROM_HUB} answers from the CRM were decrypted by the contacts; their receipts are in the CRM`,
  );
  return LIVE_FROM_CONTACTS + LIVE_FROM_HUB;
}

export async function soleAccount({ whatsapp }: Stage) {
  const [account] = await whatsapp.accounts();
  if (account === undefined) throw new Error("WhatsApp has no account");
  return account;
}

/** Act 4: during a burst the hub is killed and started again, then the bridge; every message is counted. */
export async function survive(stage: Stage, screen: Screen): Promise<Judgement & { said: number }> {
  screen.heading("4 · kill -9 in the middle of a burst");
  const before = await incoming(stage);
  const arrived = async (): Promise<number> => (await incoming(stage)) - before;
  const burst = await stage.whatsapp.startBurst({
    count: BURST,
    perSecond: BURST_PER_SECOND,
    contacts: 25,
    text: "burst",
  });
  await until("a quarter of the burst in the CRM", async () => (await arrived()) >= BURST / 4, {
    everyMs: 5,
  });
  await stage.killHub();
  const { receipted, unacked } = await stage.whatsapp.ledgerSummary();
  screen.bad(
    `hub killed; WhatsApp had ${receipted} receipts from it and ${unacked} messages still to hand over`,
  );
  screen.good(`hub ready again after ${seconds(await stage.restartHub())} s, without a QR code`);
  await until("half of the burst in the CRM", async () => (await arrived()) >= BURST / 2, { everyMs: 5 });
  await stage.killBridge();
  screen.bad("bridge killed; the hub keeps what it could not deliver");
  screen.good(`bridge ready again after ${seconds(await stage.restartBridge())} s`);
  await until(
    "the rest of the burst in the CRM",
    async () => {
      const now = await arrived();
      screen.progress(`${now} of ${BURST} in the CRM`);
      const { finished } = await stage.whatsapp.burst(burst.id);
      const { unacked: open } = await stage.whatsapp.ledgerSummary();
      return finished && open === 0 && now >= BURST;
    },
    { timeoutMs: 90_000 },
  );
  await until("the outbox empty", () => hasDelivered(stage));
  const judgement = await judge(stage, SESSION);
  screen.fact("lost", judgement.lost);
  screen.fact("duplicated", judgement.duplicated);
  return { ...judgement, said: BURST };
}

export async function hasDelivered({ hub }: Stage): Promise<boolean> {
  const { pending, retrying } = await hub.get<{ pending: number; retrying: number }>("/api/deliveries/stats");
  return pending + retrying === 0;
}

interface SyncStatus {
  sessions: {
    status: string;
    total_contacts: number;
    total_chats: number;
    total_messages: number;
    last_sync: string;
  }[];
}

/** The last act: what the CRM's own users see. */
export async function showCrm(stage: Stage, screen: Screen, number: number): Promise<Totals> {
  screen.heading(`${number} · What the CRM has now`);
  // A sync started by hand brings the counters up to date; it writes only what changed.
  await stage.crm.method("sync.sync_session_complete", { session_name: SESSION, wait: 20 });
  const totals = await crmTotals(stage);
  screen.fact("WhatsApp Contact", totals.contacts);
  screen.fact("WhatsApp Conversation", totals.chats);
  screen.fact("WhatsApp Message", totals.messages);
  const { sessions } = await stage.crm.method<SyncStatus>("sync.get_sync_status", { session_name: SESSION });
  for (const session of sessions)
    screen.fact("WhatsApp Session", `${session.status}, last sync ${session.last_sync}`);
  return totals;
}
