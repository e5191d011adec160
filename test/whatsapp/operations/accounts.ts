/** Accounts and what is done with their phones: create, scan, type a code, unlink. */
import { z } from "zod";
import { PRESETS, type PresetName } from "../holdings/dataset.ts";
import { enterCode } from "../link/pairing-by-code.ts";
import { scanQr, type PairingOutcome } from "../link/pairing.ts";
import { parseQr, QrError } from "../link/qr.ts";
import { unlink } from "../link/unlink.ts";
import { linkedCompanions, type Account, type AccountOptions, type HeldChat } from "../state/account.ts";
import { createAccount } from "../state/account-book.ts";
import { digitsOf } from "../wire/jid.ts";
import type { World } from "../world.ts";
import { accountOf, companionOf } from "./find.ts";
import { Refusal } from "./refusal.ts";

const count = z.number().int().min(0);
const ms = z.number().int().min(0);
const presetNames = Object.keys(PRESETS) as PresetName[]; // of the table itself

const accountOptions = z.strictObject({
  addressing: z.enum(["lid", "pn"]).optional(),
  deliveryReceiptMs: ms.nullable().optional(),
  readReceiptMs: ms.nullable().optional(),
  autoReply: z.string().nullable().optional(),
  autoReplyMs: ms.optional(),
  history: z.enum(["inline", "download"]).optional(),
  historyChunk: z.number().int().min(1).optional(),
  appState: z.enum(["patches", "snapshot"]).optional(),
  businessName: z.string().nullable().optional(),
});

export const newAccount = z.strictObject({
  number: z.string().transform(digitsOf).optional(),
  name: z.string().optional(),
  preset: z.enum(presetNames).optional(),
  size: z
    .strictObject({
      contacts: count.optional(),
      chats: count.optional(),
      messages: count.optional(),
      groups: count.optional(),
      activeChats: count.optional(),
      pictures: count.optional(),
      fullMessages: count.optional(),
      archivedPerChat: count.optional(),
      mediaEvery: count.optional(),
    })
    .optional(),
  seed: z.string().optional(),
  until: z.number().int().optional(),
  options: accountOptions.optional(),
});
export type NewAccountRequest = z.input<typeof newAccount>;

export const changedAccount = accountOptions;
export type ChangedAccountRequest = z.input<typeof changedAccount>;

export interface DeviceView {
  device: number;
  connected: boolean;
  /** It said that it is active and got its offline batch. */
  online: boolean;
  available: boolean;
  /** Stanzas it has not acknowledged. */
  queued: number;
  preKeys: number;
}
export interface AccountView {
  number: string;
  lid: string;
  name: string;
  options: AccountOptions;
  contacts: number;
  chats: number;
  messages: number;
  /** Groups the account is a member of. */
  groups: { id: string; subject: string; members: number }[];
  devices: DeviceView[];
}

export interface AccountOperations {
  createAccount(request?: NewAccountRequest): AccountView;
  accounts(): AccountView[];
  account(number?: string): AccountView;
  changeAccount(number: string | undefined, request: ChangedAccountRequest): AccountView;
  /** Its people stay; its companions are logged out. */
  removeAccount(number: string): void;
  /** Address book, in order. */
  contacts(number?: string): { number: string; lid: string; name: string; pushName: string }[];
  /** Chats and messages that its phone held before anything was linked to it. */
  history(number?: string): HeldChat[];
  /** Without an account: the first that nothing is linked to, or else a new small one. */
  scanQr(qr: string, account?: string): Promise<PairingOutcome>;
  enterCode(code: string, account?: string): Promise<PairingOutcome>;
  /** The phone logs a companion out; later logins with its keys are refused (401). */
  unlink(account?: string, device?: number): void;
}

export function accountOperations(world: World): AccountOperations {
  return {
    createAccount: (request = {}) => viewOf(create(newAccount.parse(request), world), world),
    accounts: () => [...world.accounts.values()].map((account) => viewOf(account, world)),
    account: (number) => viewOf(accountOf(number, world), world),
    changeAccount(number, request) {
      const account = accountOf(number, world);
      const given = Object.entries(changedAccount.parse(request)).filter(([, value]) => value !== undefined);
      Object.assign(account.options, Object.fromEntries(given));
      return viewOf(account, world);
    },
    removeAccount(number) {
      const account = accountOf(number, world);
      for (const companion of linkedCompanions(account)) unlink(companion, "phone", world);
      world.accounts.delete(account.number);
      world.resends.clear(account.number);
    },
    contacts: (number) =>
      [...accountOf(number, world).addressBook].map(([pn, name]) => {
        const { lid, pushName } = world.people.get(pn);
        return { number: pn, lid, name, pushName };
      }),
    history: (number) => accountOf(number, world).history.view(),
    async scanQr(qr, reference) {
      try {
        parseQr(qr);
      } catch (cause) {
        if (cause instanceof QrError) throw new Refusal(400, cause.message);
        throw cause;
      }
      return scanQr(qr, reference === undefined ? nextUnlinked(world) : accountOf(reference, world), world);
    },
    enterCode: (code, reference) => enterCode(code, accountOf(reference, world), world),
    unlink: (reference, device) => unlink(companionOf(accountOf(reference, world), device), "phone", world),
  };
}

function create(request: z.output<typeof newAccount>, world: World): Account {
  if (request.number !== undefined && world.accounts.has(request.number))
    throw new Refusal(409, `account ${request.number} exists`);
  return createAccount(request, world);
}

const nextUnlinked = (world: World): Account =>
  [...world.accounts.values()].find((account) => linkedCompanions(account).length === 0) ??
  createAccount({}, world);

function viewOf(
  { number, owner, options, history, addressBook, companions }: Account,
  { groups }: Pick<World, "groups">,
): AccountView {
  return {
    number,
    lid: owner.lid,
    name: owner.pushName,
    options: { ...options },
    contacts: addressBook.size,
    chats: history.chats,
    messages: history.messages,
    groups: groups
      .ofMember(number)
      .map(({ id, subject, members }) => ({ id, subject, members: members.size })),
    devices: [...companions.values()]
      .filter(({ state }) => state === "linked")
      .map(({ device, connection, live, available, queue, preKeys }) => ({
        device,
        connected: connection !== undefined,
        online: live,
        available,
        queued: queue.size(),
        preKeys: preKeys.length,
      })),
  };
}
