/**
 * One WebSocket: handshake, then stanzas both ways. Knows nothing of accounts. The ways it can end are those that Baileys
 * rc14 tells apart (stream errors, failures, a TCP end, a reset, silence).
 */
import type { Socket } from "node:net";
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { WebSocket } from "ws";
import type { ServerIdentity } from "../wire/certificate-chain.ts";
import { createFrameReader, frame } from "../wire/framing.ts";
import { createNoiseResponder, type NoiseTransport } from "../wire/noise.ts";
import { decodeStanza, encodeStanza, stanza, type Stanza } from "../wire/stanza.ts";

export interface Connection {
  readonly id: number;
  readonly openedAt: number;
  /** False when nothing went out: closed, or playing dead. */
  send(node: Stanza): boolean;
  /** Several stanzas in one go, one system call. */
  together(work: () => void): void;
  /** TCP stays open, nothing is answered and nothing is heard any more. */
  setSilent(silent: boolean): void;
  isOpen(): boolean;
  /** A last stanza (`<stream:error>`, `<failure>`), then the end of the WebSocket. */
  endWith(node: Stanza): void;
  /** WebSocket close handshake. */
  close(): void;
  /** TCP FIN without a WebSocket close. */
  terminate(): void;
  /** TCP RST; what was just sent may never arrive. */
  reset(): void;
  /** TCP FIN after what was already sent, and nothing after it. */
  cut(): void;
}

export interface ConnectionHandlers {
  /** After `clientFinish`: who is it? `clientStatic` is the Noise key that logins are recognised by. */
  onLogin(connection: Connection, clientStatic: Buffer, payload: proto.ClientPayload): void;
  onStanza(connection: Connection, node: Stanza): void;
  onClosed(connection: Connection): void;
  /** What the client sent could not be read. */
  onBroken(connection: Connection, cause: unknown): void;
}

/** Long enough for the last stanza to be read before the socket ends. */
const LAST_WORD_MS = 100;

export function acceptConnection(
  {
    id,
    socket,
    webSocket,
    identity,
  }: { id: number; socket: Socket; webSocket: WebSocket; identity: ServerIdentity },
  handlers: ConnectionHandlers,
): Connection {
  const noise = createNoiseResponder(identity);
  let transport: NoiseTransport | undefined;
  let greeted = false;
  let silent = false;
  let ended = false;

  const isOpen = (): boolean => !ended && webSocket.readyState === webSocket.OPEN;
  const sendHandshake = (message: proto.IHandshakeMessage): void =>
    webSocket.send(frame(proto.HandshakeMessage.encode(message).finish()));

  const connection: Connection = {
    id,
    openedAt: Date.now(),
    send(node) {
      if (!transport || silent || !isOpen()) return false;
      webSocket.send(frame(transport.encrypt(encodeStanza(node))));
      return true;
    },
    together(work) {
      socket.cork();
      try {
        work();
      } finally {
        process.nextTick(() => socket.uncork());
      }
    },
    setSilent: (on) => void (silent = on),
    isOpen,
    endWith(node) {
      connection.send(node);
      setTimeout(() => webSocket.close(), LAST_WORD_MS).unref();
    },
    close: () => webSocket.close(),
    terminate: () => webSocket.terminate(),
    reset() {
      ended = true;
      socket.resetAndDestroy();
    },
    cut() {
      ended = true;
      socket.destroySoon();
    },
  };

  const onHandshake = (payload: Buffer): void => {
    const { clientHello, clientFinish } = proto.HandshakeMessage.decode(payload);
    if (!greeted) {
      if (!clientHello?.ephemeral) throw new Error("clientHello expected");
      greeted = true;
      sendHandshake({ serverHello: noise.hello(clientHello.ephemeral) });
      return;
    }
    if (!clientFinish?.static || !clientFinish.payload) throw new Error("clientFinish expected");
    const finished = noise.finish(clientFinish.static, clientFinish.payload);
    transport = finished.transport;
    const login = proto.ClientPayload.decode(finished.payload);
    // Baileys switches to the transport keys only after its own send: an answer in the same tick would be read too early.
    setImmediate(() => {
      if (isOpen()) handlers.onLogin(connection, finished.clientStatic, login);
    });
  };

  const read = createFrameReader((payload) => {
    if (!transport) onHandshake(payload);
    else if (!silent) handlers.onStanza(connection, decodeStanza(transport.decrypt(payload)));
    else transport.decrypt(payload); // the counter has to move on, in case it comes back to life
  });
  webSocket.on("message", (data: Buffer) => {
    try {
      read(data);
    } catch (cause) {
      handlers.onBroken(connection, cause);
      webSocket.terminate();
    }
  });
  webSocket.on("error", () => webSocket.terminate());
  webSocket.on("close", () => handlers.onClosed(connection));
  return connection;
}

/** `<stream:error>` as Baileys reads it: by code, or by the name of its first child. */
export const streamError = (code: number | undefined, child?: Stanza): Stanza =>
  stanza("stream:error", { code }, child ? [child] : undefined);
