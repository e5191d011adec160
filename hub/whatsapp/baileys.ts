/** The door to the library: hardening first, then what we use of it. No other file imports Baileys' values. */
import "./signal-hardening.ts";
import "./download-hardening.ts";
import {
  addTransactionCapability as addTransactions,
  makeWASocket as makeSocket,
} from "@whiskeysockets/baileys";
import { withOneContext } from "./one-context.ts";

export {
  Browsers,
  BufferJSON,
  cleanMessage,
  Curve,
  decodeMessageNode,
  decryptMessageNode,
  DEFAULT_CONNECTION_CONFIG,
  downloadAndProcessHistorySyncNotification,
  downloadMediaMessage,
  extractMessageContent,
  generateMessageIDV2,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  initAuthCreds,
  proto,
  WAMessageAddressingMode,
} from "@whiskeysockets/baileys";
export type {
  AnyMessageContent,
  AuthenticationCreds,
  BaileysEventMap,
  BinaryNode,
  CacheStore,
  GroupMetadata,
  SignalDataSet,
  SignalDataTypeMap,
  SignalKeyStore,
  SignalKeyStoreWithTransaction,
  SignalRepositoryWithLIDStore as SignalRepository,
  SocketConfig,
  UserFacingSocketConfig,
  WAMessage,
  WAMessageKey,
  WASocket,
} from "@whiskeysockets/baileys";

export const makeWASocket: typeof makeSocket = (config) => withOneContext(() => makeSocket(config));
export const addTransactionCapability: typeof addTransactions = (...keys) =>
  withOneContext(() => addTransactions(...keys));
