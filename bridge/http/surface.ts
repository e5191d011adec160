/** Brings the routers together: what is asked first, and what each is built from. */
import type { CrmAdapter } from "../adapter.ts";
import type { Clock } from "../clock.ts";
import type { FeedLag } from "../feed-lag.ts";
import type { DirectoryMethods } from "../methods/directory.ts";
import type { Method } from "../methods/method.ts";
import type { Outgoing } from "../outgoing/outgoing.ts";
import type { BridgeState } from "../state/bridge-state.ts";
import type { Receiver } from "../webhook/receive.ts";
import type { Surface } from "./app.ts";
import { createAuth } from "./auth.ts";
import { connectionRoutes, type ConnectionFigures } from "./connection-routes.ts";
import { directoryRoutes } from "./directory-routes.ts";
import { healthRoutes } from "./health-routes.ts";
import type { MethodKey } from "./method-keys.ts";
import { methodRoutes } from "./method-routes.ts";
import { createMetrics } from "./metrics.ts";
import { progressStream, type ProgressSource } from "./progress-stream.ts";
import { countRoute, resourceRoutes } from "./resource-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";
import { webhookTestRoutes } from "./webhook-test-routes.ts";

export interface SurfaceParts {
  app: string;
  version: string;
  keys: MethodKey[];
  secrets: () => string[];
  acceptLegacy: boolean;
  receiver: Receiver;
  methods: { all: Method[]; directory: DirectoryMethods };
  adapter: CrmAdapter;
  connections: ConnectionFigures;
  progress: ProgressSource;
  state: BridgeState;
  feedLag: () => Promise<FeedLag>;
  outgoing: Pick<Outgoing, "figures">;
  clock: Clock;
}

export function createSurface(parts: SurfaceParts): { surface: Surface; stop(): void } {
  const { app, adapter, state, feedLag, clock } = parts;
  const auth = createAuth({ keys: parts.keys, clock });
  const outgoing = () => parts.outgoing.figures();
  const metrics = createMetrics({ state, auth, feedLag, outgoing });
  const stream = progressStream({ source: parts.progress, auth });
  return {
    surface: {
      webhooks: [webhookRoutes({ app, receiver: parts.receiver, answered: metrics.webhook })],
      methods: [
        webhookTestRoutes({ app, secrets: parts.secrets, acceptLegacy: parts.acceptLegacy, auth, clock }),
        countRoute({ adapter, auth }),
        methodRoutes({ app, methods: parts.methods.all, auth }),
      ],
      resources: [resourceRoutes({ adapter, auth })],
      plain: [
        healthRoutes({
          version: parts.version,
          ...{ clock, auth, feedLag, outgoing },
          crmName: adapter.name,
          checkCrm: () => adapter.check(),
        }),
        metrics.router,
        connectionRoutes({ connections: parts.connections, state, auth }),
        directoryRoutes({ auth, ...parts.methods.directory }),
        stream.router,
      ],
    },
    stop: () => stream.stop(),
  };
}
