/** What the soak runs on: WhatsApp (emulated) and the hub as processes of their own, linked accounts, a CRM that keeps the counts. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecret } from "../../hub/contract/signature.ts";
import { startFakeCrm, type FakeCrm } from "../../test/support/fake-crm.ts";
import { createHubClient, type HubClient } from "../../test/support/hub-client.ts";
import { startHubProcess, type HubProcess } from "../../test/support/hub-process.ts";
import { until } from "../../test/support/until.ts";
import { spawnEmulator, type SpawnedEmulator } from "../../test/whatsapp/spawn.ts";

/** A few people and groups, and no history: all that arrives is what the soak lets arrive. */
const ACCOUNT = {
  preset: "small",
  size: { contacts: 20, chats: 20, groups: 2, messages: 0, activeChats: 0 },
} as const;

export interface SoakAccount {
  sessionId: string;
  number: string;
  /** Numbers of the address book. */
  people: string[];
  groups: { id: string; members: string[] }[];
}

export interface SoakStand {
  whatsapp: SpawnedEmulator;
  hub: HubClient;
  hubProcess: HubProcess;
  crm: FakeCrm;
  accounts: SoakAccount[];
  stop(): Promise<void>;
}

export async function openSoakStand({ accounts: count }: { accounts: number }): Promise<SoakStand> {
  const folder = await mkdtemp(join(tmpdir(), "inbox-hub-soak-"));
  const secret = makeSecret();
  const [whatsapp, crm] = await Promise.all([spawnEmulator(), startFakeCrm({ secret, keepRequests: false })]);
  const hubProcess = await startHubProcess({
    dataDir: join(folder, "data"),
    env: whatsapp.environment,
    nodeOptions: whatsapp.preload,
  });
  const hub = createHubClient(hubProcess);
  const accounts: SoakAccount[] = [];
  const stop = async (): Promise<void> => {
    await hubProcess.kill("SIGTERM");
    await Promise.all([whatsapp.stop(), crm.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // A lane for each chat, as a CRM with several workers has it.
    await hub.post("/api/endpoints", { url: crm.url, secret, events: ["*"], ordering: "chat" });
    for (let n = 1; n <= count; n++) accounts.push(await link(`soak-${n}`, { whatsapp, hub }));
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { whatsapp, hub, hubProcess, crm, accounts, stop };
}

async function link(
  sessionId: string,
  { whatsapp, hub }: Pick<SoakStand, "whatsapp" | "hub">,
): Promise<SoakAccount> {
  const { number, groups } = await whatsapp.createAccount(ACCOUNT);
  await hub.post("/api/sessions", { sessionId });
  await hub.post(`/api/sessions/${sessionId}/connect`);
  const { qr } = await hub.get<{ qr: string }>(`/api/sessions/${sessionId}/qr`);
  const { outcome } = await whatsapp.scanQr(qr, number);
  if (outcome !== "paired") throw new Error(`account ${number}: ${outcome}`);
  await until(`${sessionId} connected`, async () => {
    const { isConnected } = await hub.get<{ isConnected: boolean }>(`/api/sessions/${sessionId}/status`);
    return isConnected;
  });
  const members = await Promise.all(groups.map(({ id }) => whatsapp.group(id)));
  return {
    sessionId,
    number,
    people: (await whatsapp.contacts(number)).map((person) => person.number),
    groups: members.map((group) => ({
      id: group.id,
      members: group.members.filter((member) => member !== number),
    })),
  };
}
