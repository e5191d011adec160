/** `doctor`: walks everything the hub depends on, from this machine outwards, and says what to do about what is wrong. */
import type { Command } from "commander";
import { CommandError } from "./command-error.ts";
import type { Bench, Desk } from "./desk.ts";
import type { Check } from "./doctor/check.ts";
import { problem } from "./doctor/check.ts";
import { checkBackups, checkDrill, checkKey } from "./doctor/copies.ts";
import { checkDisk, checkFolder, checkNode, checkSettings, checkStore } from "./doctor/machine.ts";
import { checkBridge, checkEndpoint, checkHub, checkSessions } from "./doctor/services.ts";
import { checkUpgrade } from "./doctor/upgrade.ts";
import { checkClock, checkWay, overHttp } from "./doctor/way.ts";
import { textOf, type HubCalls } from "./hub-calls.ts";

const WHATSAPP = "wss://web.whatsapp.com/ws/chat";
const SIGNS = { ok: "✔", problem: "✖", skipped: "–" } as const;

export function addDoctor(program: Command, bench: Bench): void {
  program
    .command("doctor")
    .description("walks everything the hub depends on, and says what to do about what is wrong")
    .action(async () => {
      const checks = await examine(bench.desk, bench.hub());
      const wrong = checks.filter(({ outcome }) => outcome === "problem").length;
      bench.show({
        data: { ok: wrong === 0, checks },
        text: [
          ...checks.map(textOfCheck),
          "",
          wrong === 0 ? "Nothing is wrong." : `${wrong} to look at.`,
        ].join("\n"),
        isProblem: wrong > 0,
      });
    });
}

const textOfCheck = ({ what, outcome, detail, advice }: Check): string =>
  `${SIGNS[outcome]} ${what}: ${detail}${advice === null ? "" : `\n    → ${advice}`}`;

async function examine({ env, now }: Desk, hub: HubCalls): Promise<Check[]> {
  const settings = checkSettings(env);
  const dataDir = settings.config?.dataDir ?? (env["HUB_DATA_DIR"] || "./data");
  const store = checkStore(dataDir);
  const whatsApp = new URL(settings.config?.webSocketUrl ?? WHATSAPP);
  const machine = [
    checkNode(process.versions.node),
    settings.check,
    checkFolder(dataDir),
    await checkKey(settings.config, dataDir),
    await checkDisk(dataDir),
    store.check,
    await checkBackups(dataDir, { now: now(), isRunning: store.isRunning }),
    await checkDrill(dataDir, { now: now() }),
  ];
  const way = await checkWay("WhatsApp", whatsApp);
  if (way.every(({ outcome }) => outcome === "ok")) way.push(await checkUpgrade("WhatsApp", whatsApp));
  const ready = await checkHub(hub, { holdsFolder: store.isRunning });
  const { checks, servers } = ready.outcome === "ok" ? await examineWork(hub) : { checks: [], servers: [] };
  const clock = await checkClock([overHttp(whatsApp), ...servers], now);
  return [...machine, clock, ...way, ready, ...checks, await checkBridge(env)];
}

/** What only a running hub can tell. */
async function examineWork(hub: HubCalls): Promise<{ checks: Check[]; servers: URL[] }> {
  try {
    const sessions = await hub.all("/api/sessions", "sessions");
    const endpoints = await hub.all("/api/endpoints", "endpoints");
    const checks = [checkSessions(sessions)];
    for (const endpoint of endpoints) checks.push(await checkEndpoint(hub, endpoint));
    return { checks, servers: endpoints.map((endpoint) => new URL(textOf(endpoint["url"]))) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return {
      checks: [problem("hub's answers", error.message, "The other checks of it were left out.")],
      servers: [],
    };
  }
}
