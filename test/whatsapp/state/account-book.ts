/** Accounts come into being here, with everything their phone holds. */
import { createAppState, createAppStateKey } from "../crypto/app-state.ts";
import {
  makeDataset,
  PRESETS,
  type Dataset,
  type DatasetSize,
  type PresetName,
} from "../holdings/dataset.ts";
import { createHistory } from "../holdings/history.ts";
import { saveContacts, savePushName } from "../holdings/address-book.ts";
import { DEFAULT_PRIVACY } from "../iq/account.ts";
import { setPicture } from "../iq/pictures.ts";
import { samplePng } from "../media/sample-files.ts";
import type { World } from "../world.ts";
import { DEFAULT_ACCOUNT_OPTIONS, type Account, type AccountOptions, type HistorySource } from "./account.ts";

export interface NewAccount {
  /** Digits; left out: the next free number. */
  number?: string | undefined;
  /** What the owner calls themselves. */
  name?: string | undefined;
  preset?: PresetName | undefined;
  /** Changes to the preset's sizes. */
  size?: { [Name in keyof DatasetSize]?: DatasetSize[Name] | undefined } | undefined;
  /** Same seed and number, same account. */
  seed?: string | undefined;
  /** Unix seconds of the newest message; left out: now. */
  until?: number | undefined;
  options?: { [Name in keyof AccountOptions]?: AccountOptions[Name] | undefined } | undefined;
}

/** No country has the code 999. */
const FIRST_NUMBER = 99955500001;

export function createAccount(request: NewAccount, world: World): Account {
  const number = request.number ?? nextNumber(world);
  if (world.accounts.has(number)) throw new Error(`account ${number} exists`);
  const size: DatasetSize = { ...PRESETS[request.preset ?? "small"], ...given(request.size) };
  const dataset = makeDataset({
    seed: request.seed ?? "emulator",
    number,
    size,
    until: request.until ?? Math.floor(Date.now() / 1000),
  });
  const account: Account = {
    number,
    owner: world.people.get(number),
    options: { ...DEFAULT_ACCOUNT_OPTIONS, ...given(request.options) },
    addressBook: new Map(),
    companions: new Map(),
    appState: createAppState(createAppStateKey()),
    blocked: new Set(),
    privacy: new Map(Object.entries(DEFAULT_PRIVACY)),
    nextDevice: 1,
    standing: {},
    history: NO_HISTORY,
  };
  introduce(dataset, account, world);
  saveContacts(account, dataset.contacts, world);
  savePushName(account, request.name ?? `Account ${number.slice(-4)}`);
  account.history = createHistory(dataset, account, world);
  world.accounts.set(number, account);
  return account;
}

const NO_HISTORY: HistorySource = {
  contacts: 0,
  chats: 0,
  messages: 0,
  sendTo: () => undefined,
  sendBefore: () => undefined,
  view: () => [],
};

/** What was really said: an option that is undefined is one left out. */
const given = <T extends object>(
  options: { [Name in keyof T]?: T[Name] | undefined } | undefined,
): Partial<T> =>
  Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>; // fewer keys, same values

/** Everybody of the data set is from now on to be found in the network. */
function introduce(dataset: Dataset, { number, options: { addressing } }: Account, world: World): void {
  for (const { pn, pushName, picture } of dataset.contacts) {
    const person = world.people.get(pn);
    person.pushName = pushName;
    if (picture) setPicture(person, samplePng(pn), world);
  }
  const createdAt = dataset.chats.at(-1)?.lastAt ?? 0;
  for (const group of dataset.groups)
    if (!world.groups.get(group.id))
      world.groups.add({ ...group, members: [...group.members, number], addressing, createdAt });
}

function nextNumber({ accounts }: Pick<World, "accounts">): string {
  let number = FIRST_NUMBER;
  while (accounts.has(String(number))) number++;
  return String(number);
}
