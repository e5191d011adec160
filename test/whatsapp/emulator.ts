/** The emulator as a whole: builds its parts, connects them, owns how they start and stop. */
import { createServer, type Server } from "node:http";
import { Socket, type AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { answerAdmin } from "./admin/server.ts";
import { createNetwork } from "./link/network.ts";
import { createWaitingRoom } from "./link/waiting-room.ts";
import { createResends } from "./mail/resends.ts";
import { createMediaServer, answerMedia, isMediaRequest } from "./media/media-server.ts";
import { createMediaStore } from "./media/media-store.ts";
import { createOperations, type Operations } from "./operations.ts";
import { createCounters } from "./state/counters.ts";
import { createEvents } from "./state/events.ts";
import { createFaults } from "./state/faults.ts";
import { createGroups } from "./state/groups.ts";
import { createLedger } from "./state/ledger.ts";
import { createPeople } from "./state/people.ts";
import { createSentMessages } from "./state/sent.ts";
import { createServerIdentity } from "./wire/certificate-chain.ts";
import { createTlsCertificate } from "./wire/tls-certificate.ts";
import type { World } from "./world.ts";

export interface EmulatorOptions {
  /** Of the admin API, the WebSocket and downloads; 0: any free one. */
  port?: number;
}

/** What a process under test has to be told to take the emulator for WhatsApp; see trust-preload.mjs. */
export interface Trust {
  /** Hex, 32 bytes: WA_CERT_DETAILS.PUBLIC_KEY. */
  rootKey: string;
  /** PEM: authority of the upload host. */
  ca: string;
  /** `127.0.0.1:port` for uploads, in https. */
  mediaHost: string;
}

export interface Emulator extends Operations {
  /** Admin API. */
  readonly url: string;
  /** For Baileys' `waWebSocketUrl`, or WA_WEB_SOCKET_URL. */
  readonly wsUrl: string;
  readonly trust: Trust;
  /** For tests in the same process that want to look inside. */
  readonly world: World;
  stop(): Promise<void>;
}

const HOST = "127.0.0.1";
const WS_PATH = "/ws/chat";

export async function startEmulator({ port = 0 }: EmulatorOptions = {}): Promise<Emulator> {
  const identity = createServerIdentity();
  const tls = createTlsCertificate(["whatsapp.net", "localhost"]);
  const timers = new Set<NodeJS.Timeout>();
  const world = createWorld(timers, () => `${HOST}:${portOf(mediaServer)}`);
  const mediaServer = createMediaServer(tls, world);
  const network = createNetwork(identity, world);
  const operations = createOperations(world);

  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 64 * 2 ** 20,
  });
  const server = createServer((request, response) => {
    if (isMediaRequest(request)) answerMedia(request, response, world);
    else answerAdmin(request, response, { operations, trust: () => trust, wsUrl: () => wsUrl });
  });
  server.on("upgrade", (request, socket, head) => {
    // node:http hands over what it accepted, typed as its base class.
    if (!(socket instanceof Socket)) return;
    if (!network.mayUpgrade(socket, request.url?.startsWith(WS_PATH) ?? false)) return;
    webSockets.handleUpgrade(request, socket, head, (webSocket) => network.accept(socket, webSocket));
  });

  await Promise.all([listen(server, port), listen(mediaServer, 0)]);
  const url = `http://${HOST}:${portOf(server)}`;
  const wsUrl = `ws://${HOST}:${portOf(server)}${WS_PATH}`;
  const trust: Trust = {
    rootKey: identity.rootKey.toString("hex"),
    ca: tls.certificate,
    mediaHost: world.mediaHost(),
  };

  return {
    ...operations,
    url,
    wsUrl,
    trust,
    world,
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      operations.stopBursts();
      network.stop();
      webSockets.close();
      await Promise.all([close(server), close(mediaServer)]);
    },
  };
}

function createWorld(timers: Set<NodeJS.Timeout>, mediaHost: () => string): World {
  const events = createEvents();
  const counters = createCounters();
  return {
    people: createPeople(),
    groups: createGroups(),
    accounts: new Map(),
    waiting: createWaitingRoom(),
    events,
    counters,
    faults: createFaults((kind, account) => {
      counters.add("faultsUsed");
      events.emit({ type: "fault.used", ...(account === undefined ? {} : { account }), detail: { kind } });
    }),
    ledger: createLedger(events),
    sent: createSentMessages(),
    resends: createResends(),
    media: createMediaStore(),
    mediaHost,
    later(delayMs, work) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        work();
      }, delayMs);
      timers.add(timer);
    },
  };
}

const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return address.port;
};

const listen = (server: Server | ReturnType<typeof createMediaServer>, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });

const close = (server: Server | ReturnType<typeof createMediaServer>): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
