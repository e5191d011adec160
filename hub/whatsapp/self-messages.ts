/** What our own phone tells this device and no chat shows: history, keys of the synced state, addresses, resent messages. */
import type { Fact } from "../core/facts.ts";
import { proto, type AuthenticationCreds } from "./baileys.ts";
import type { Journal } from "./journal.ts";
import type { Me } from "./translate/addresses.ts";
import { belongTogether, factsOfMessage, type LiveMessage } from "./translate/facts-of-message.ts";
import { unwrap } from "./translate/unwrap.ts";

const { Type } = proto.Message.ProtocolMessage;

/** What came of it. `history` has to be fetched and stored before its stanza is done. */
export interface SelfMessage {
  facts: Fact[];
  history: proto.Message.IHistorySyncNotification | null;
}

/**
 * Applies a message between our own devices; null when it is none. The same from anybody else is a forgery and comes to
 * nothing, here and in Baileys.
 */
export function applySelfMessage(
  raw: LiveMessage,
  {
    sessionId,
    me,
    creds,
    journal,
  }: { sessionId: string; me: Me; creds: AuthenticationCreds; journal: Journal },
): SelfMessage | null {
  const said = unwrap(raw.message)?.protocolMessage;
  if (!said || !isSelfOnly(said.type)) return null;
  const done = (facts: Fact[] = []): SelfMessage => ({ facts, history: null });
  if (raw.key.fromMe !== true) return done();
  if (said.type === Type.HISTORY_SYNC_NOTIFICATION)
    return { facts: [], history: said.historySyncNotification ?? null };
  if (said.type === Type.APP_STATE_SYNC_KEY_SHARE)
    keepAppStateKeys(said.appStateSyncKeyShare, creds, journal);
  if (said.type === Type.LID_MIGRATION_MAPPING_SYNC)
    return done(mappings(said.lidMigrationMappingSyncMessage, me, journal));
  if (said.type === Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE)
    return done(resent(said.peerDataOperationRequestResponseMessage, sessionId, me));
  return done();
}

/** Other protocol messages (revokes, edits) belong to a chat. */
const isSelfOnly = (type: proto.Message.ProtocolMessage.Type | null | undefined): boolean =>
  type !== Type.REVOKE && type !== Type.MESSAGE_EDIT;

function keepAppStateKeys(
  share: proto.Message.IAppStateSyncKeyShare | null | undefined,
  creds: AuthenticationCreds,
  journal: Journal,
): void {
  for (const { keyId, keyData } of share?.keys ?? []) {
    if (!keyId?.keyId || !keyData) continue;
    const id = Buffer.from(keyId.keyId).toString("base64");
    journal.putKey("app-state-sync-key", id, keyData);
    creds.myAppStateKeyId = id;
    journal.putCreds();
  }
}

function mappings(
  message: proto.ILIDMigrationMappingSyncMessage | null | undefined,
  me: Me,
  journal: Journal,
): Fact[] {
  const payload = message?.encodedMappingPayload;
  if (!payload) return [];
  const { pnToLidMappings } = proto.LIDMigrationMappingSyncPayload.decode(payload);
  return pnToLidMappings.flatMap(({ pn, latestLid, assignedLid }): Fact[] => {
    const phoneUser = String(pn);
    const latest = String(latestLid ?? 0);
    const lidUser = latest === "0" ? String(assignedLid) : latest;
    const pair = { lid: `${lidUser}@lid`, phone: `${phoneUser}@s.whatsapp.net` };
    if (!belongTogether(pair, me)) return [];
    journal.putKey("lid-mapping", phoneUser, lidUser);
    journal.putKey("lid-mapping", `${lidUser}_reverse`, phoneUser);
    return [{ kind: "lid", ...pair }];
  });
}

/** Messages this device could not read, sent again by the phone. */
function resent(
  response: proto.Message.IPeerDataOperationRequestResponseMessage | null | undefined,
  sessionId: string,
  me: Me,
): Fact[] {
  return (response?.peerDataOperationResult ?? []).flatMap((result) => {
    const bytes = result.placeholderMessageResendResponse?.webMessageInfoBytes;
    if (!bytes) return [];
    const { key, ...rest } = proto.WebMessageInfo.decode(bytes);
    return factsOfMessage(sessionId, { ...rest, key: key ?? {} }, me, true);
  });
}
