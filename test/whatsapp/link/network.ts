/** The door: WebSockets come in, turn out to be companions that want to be linked or that log in, and go. */
import type { Socket } from "node:net";
import type { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { WebSocket } from "ws";
import type { Companion } from "../state/companion.ts";
import { createServerIdentity, type ServerIdentity } from "../wire/certificate-chain.ts";
import { stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { acceptConnection, type Connection } from "./connection.ts";
import { askForCode } from "./pairing-by-code.ts";
import { logIn } from "./login.ts";
import { offerPairing, readRegistration } from "./pairing.ts";
import { onStanza } from "./stanzas.ts";

export interface Network {
  /** False: the upgrade was answered here (refused, or left hanging). */
  mayUpgrade(socket: Socket, pathIsRight: boolean): boolean;
  accept(socket: Socket, webSocket: WebSocket): void;
  stop(): void;
}

const BAD_REQUEST = 400;

export function createNetwork(identity: ServerIdentity, world: World): Network {
  const linked = new Map<Connection, Companion>();
  const open = new Set<Connection>();
  const held = new Set<Socket>();
  let lastId = 0;

  const onLogin = (connection: Connection, noiseKey: Buffer, payload: proto.ClientPayload): void => {
    world.counters.add("handshakes");
    if (payload.devicePairingData) {
      offerPairing(connection, noiseKey, readRegistration(payload.devicePairingData), world);
      return;
    }
    if (!payload.username) {
      connection.endWith(stanza("failure", { reason: BAD_REQUEST }));
      return;
    }
    const companion = logIn(connection, noiseKey, String(payload.username), world);
    if (companion) linked.set(connection, companion);
  };

  const onAnyStanza = (connection: Connection, node: Stanza): void => {
    const companion = linked.get(connection);
    if (companion) {
      onStanza(node, companion, world);
      return;
    }
    const waiting = world.waiting.of(connection);
    if (waiting && !askForCode(node, waiting, world)) waiting.onStanza?.(node);
  };

  const onClosed = (connection: Connection): void => {
    open.delete(connection);
    world.counters.add("closed");
    const companion = linked.get(connection);
    linked.delete(connection);
    const waiting = world.waiting.leave(connection);
    waiting?.onClosed?.();
    if (companion?.connection === connection) {
      companion.connection = undefined;
      companion.live = false;
      companion.available = false;
    }
    world.events.emit({
      type: "connection.closed",
      ...(companion ? { account: companion.account.number, device: companion.device } : {}),
      detail: { connection: connection.id },
    });
  };

  return {
    mayUpgrade(socket, pathIsRight) {
      // Nobody else listens to it yet, and a client that is killed now must not take the emulator with it.
      socket.on("error", () => socket.destroy());
      const refusal = world.faults.take("reject-upgrade", undefined);
      if (refusal || !pathIsRight) {
        world.counters.add("upgradesRejected");
        const status = refusal?.status ?? 404;
        socket.end(`HTTP/1.1 ${status} Emulated\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return false;
      }
      if (!world.faults.take("stall-upgrade", undefined)) return true;
      held.add(socket);
      socket.on("close", () => held.delete(socket));
      return false;
    },
    accept(socket, webSocket) {
      world.counters.add("connections");
      const chain = world.faults.take("foreign-root", undefined) ? createServerIdentity() : identity;
      const connection = acceptConnection(
        { id: ++lastId, socket, webSocket, identity: chain },
        {
          onLogin,
          onStanza: onAnyStanza,
          onClosed,
          onBroken(broken, cause) {
            world.counters.add("brokenStanzas");
            const reason = cause instanceof Error ? cause.message : String(cause);
            world.events.emit({ type: "connection.broken", detail: { connection: broken.id, reason } });
          },
        },
      );
      open.add(connection);
      world.events.emit({ type: "connection.opened", detail: { connection: connection.id } });
    },
    stop() {
      for (const connection of open) connection.terminate();
      for (const socket of held) socket.destroy();
    },
  };
}
