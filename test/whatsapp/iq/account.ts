/** Queries about the account itself: what Baileys rc14 asks on every connection (executeInitQueries) and its settings. */
import { addressOf, otherAddressOf } from "../state/people.ts";
import { childOf, childrenOf, stanza, textOf } from "../wire/stanza.ts";
import { iqError, OK, type IqHandler } from "./answer.ts";

export const nothingToSay: IqHandler = () => OK;

/** A/B properties, only those that Baileys reads. */
export const abProps: IqHandler = () => [
  stanza("props", { hash: "emulator", refresh: 86_400, protocol: 1 }, [
    stanza("prop", { config_code: "10518", config_value: "true" }),
    stanza("prop", { config_code: "9666", config_value: "true" }),
    stanza("prop", { config_code: "14303", config_value: "false" }),
  ]),
];

export const blocklist: IqHandler = ({ companion: { account } }, { people }) => [
  stanza(
    "list",
    {},
    [...account.blocked].map((pn) => {
      const person = people.get(pn);
      return stanza("item", { jid: addressOf(person, "lid"), pn_jid: otherAddressOf(person, "lid") });
    }),
  ),
];

export const changeBlocklist: IqHandler = ({ query, companion: { account } }, { people }) => {
  const person = people.find(query.attrs["jid"] ?? "");
  if (!person) return iqError(404, "item-not-found");
  if (query.attrs["action"] === "block") account.blocked.add(person.pn);
  else account.blocked.delete(person.pn);
  return OK;
};

export const DEFAULT_PRIVACY: Readonly<Record<string, string>> = {
  readreceipts: "all",
  profile: "all",
  status: "all",
  online: "all",
  last: "all",
  groupadd: "all",
  calladd: "all",
  messages: "all",
};

export const privacySettings: IqHandler = ({ companion: { account } }) => [
  stanza(
    "privacy",
    {},
    [...account.privacy].map(([name, value]) => stanza("category", { name, value })),
  ),
];

export const changePrivacy: IqHandler = ({ query, companion: { account } }) => {
  for (const { attrs } of childrenOf(query))
    if (attrs["name"] && attrs["value"]) account.privacy.set(attrs["name"], attrs["value"]);
  return OK;
};

export const changeStatus: IqHandler = ({ query, companion: { account } }) => {
  account.owner.about = textOf(query) ?? "";
  return OK;
};

export const businessProfile: IqHandler = ({ query }, { people, accounts }) => {
  const jid = childOf(query, "profile")?.attrs["jid"] ?? "";
  const person = people.find(jid);
  const business = person && accounts.get(person.pn)?.options.businessName;
  if (business === undefined || business === null) return [stanza("business_profile", { v: 244 })];
  return [
    stanza("business_profile", { v: 244 }, [
      stanza("profile", { jid }, [stanza("description", {}, Buffer.from(business))]),
    ]),
  ];
};
