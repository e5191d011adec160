/** The accounts as the bridge knows them, with figures: who is connected, who is not, since when, why and by whom. */
import { Router } from "express";
import { own } from "../own.ts";
import type { Connection, Disconnection } from "../state/bridge-state.ts";
import type { BridgeState } from "../state/bridge-state.ts";
import type { Auth } from "./auth.ts";

/** What is shown of the registry. */
export interface ConnectionFigures {
  list(): Connection[];
  shouldAutoReconnect(sessionId: string): boolean;
  figures(): {
    total: number;
    connected: number;
    inError: number;
    manuallyDisconnected: number;
    connectedLast24h: number;
    lastDisconnections: Disconnection[];
  };
}

const SHOWN_CORRECTIONS = 50;

export function connectionRoutes({
  connections,
  state,
  auth,
}: {
  connections: ConnectionFigures;
  state: BridgeState;
  auth: Auth;
}): Router {
  const router = Router();
  router.get("/api/connections", (request, response) => {
    auth.callerOf(request);
    const { corrections, comparisons } = state.read();
    response.setHeader("Cache-Control", "no-store");
    response.json({
      success: true,
      data: {
        figures: connections.figures(),
        connections: connections.list().map((connection) => ({
          ...connection,
          shouldAutoReconnect: connections.shouldAutoReconnect(connection.sessionId),
          lastComparison: own(comparisons, connection.sessionId) ?? null,
        })),
        corrections: corrections.slice(-SHOWN_CORRECTIONS).reverse(),
      },
    });
  });
  return router;
}
