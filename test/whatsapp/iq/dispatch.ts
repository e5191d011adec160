/** Which query is answered by whom. Unknown ones get an empty result and are counted: a test run should end with none. */
import type { Companion } from "../state/companion.ts";
import { childrenOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import * as account from "./account.ts";
import { OK, toStanza, type IqHandler } from "./answer.ts";
import { syncAppState } from "./app-state.ts";
import * as groups from "./groups.ts";
import { mediaConnection } from "./media-connection.ts";
import { mexQuery } from "./mex.ts";
import { goActive, removeCompanion } from "./linked-device.ts";
import * as pictures from "./pictures.ts";
import { takePrivacyTokens } from "./privacy-tokens.ts";
import * as prekeys from "./prekeys.ts";
import { usync } from "./usync.ts";

/** Key: `type xmlns child`; without a child of its own a query is looked up as `type xmlns`. */
const HANDLERS: Record<string, IqHandler> = {
  "get encrypt count": prekeys.countPreKeys,
  "set encrypt": prekeys.storePreKeys,
  "set encrypt rotate": prekeys.rotateSignedPreKey,
  "get encrypt digest": prekeys.digestKeys,
  "get encrypt key": prekeys.fetchKeys,
  "set passive active": goActive,
  "set passive passive": account.nothingToSay,
  "get w:p ping": account.nothingToSay,
  "get usync usync": usync,
  "get abt props": account.abProps,
  "get blocklist": account.blocklist,
  "set blocklist item": account.changeBlocklist,
  "get privacy privacy": account.privacySettings,
  "set privacy privacy": account.changePrivacy,
  "set privacy tokens": takePrivacyTokens,
  "set status status": account.changeStatus,
  "set disappearing_mode disappearing_mode": account.nothingToSay,
  "set urn:xmpp:whatsapp:dirty clean": account.nothingToSay,
  "get w:biz business_profile": account.businessProfile,
  "set w:m media_conn": mediaConnection,
  "get w:profile:picture picture": pictures.fetchPicture,
  "set w:profile:picture": pictures.changePicture,
  "set w:sync:app:state sync": syncAppState,
  "get w:mex query": mexQuery,
  "set md remove-companion-device": removeCompanion,
  "get w:g2 query": groups.groupMetadata,
  "get w:g2 participating": groups.participating,
  "get w:g2 invite": groups.inviteCode,
  "set w:g2 create": groups.createGroup,
  "set w:g2 leave": groups.leaveGroup,
  "set w:g2": groups.changeGroup,
};

export function answerQuery(iq: Stanza, companion: Companion, world: World): void {
  const [query = stanza("none")] = childrenOf(iq);
  const { type = "", xmlns = "" } = iq.attrs;
  const { number } = companion.account;
  world.counters.add("queries");

  const fault = world.faults.take(
    "iq",
    number,
    (wanted) => (wanted.xmlns ?? xmlns) === xmlns && (wanted.tag ?? query.tag) === query.tag,
  );
  if (fault?.drop) return;
  const send = (): void => {
    const answer = fault?.code === undefined ? ask() : { code: fault.code, text: "emulated-error" };
    companion.connection?.send(toStanza(iq, answer));
  };
  const ask = (): ReturnType<IqHandler> => {
    const handler = find(type, xmlns, query);
    if (handler) return handler({ iq, query, companion }, world);
    const what = `${type} ${xmlns} ${query.tag}`;
    world.counters.add("unknownQueries");
    world.counters.unknown(what);
    world.events.emit({ type: "unknown.query", account: number, detail: { what } });
    return OK;
  };
  if (fault?.delayMs === undefined) send();
  else world.later(fault.delayMs, send);
}

function find(type: string, xmlns: string, query: Stanza): IqHandler | undefined {
  // By invitation: the query goes to all groups, not to one.
  if (xmlns === "w:g2" && query.tag === "invite" && query.attrs["code"] !== undefined)
    return type === "get" ? groups.inviteInfo : groups.acceptInvite;
  return HANDLERS[`${type} ${xmlns} ${query.tag}`] ?? HANDLERS[`${type} ${xmlns}`];
}
