/**
 * An attachment is gone from the media servers and the companion asks the phone to upload it again. Baileys rc14:
 * updateMediaMessage sends a `server-error` receipt and waits for a `mediaretry` notification.
 */
import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys/WAProto/index.js";
import type { Companion } from "../state/companion.ts";
import { pnJid } from "../wire/jid.ts";
import { childOf, stanza, type Stanza } from "../wire/stanza.ts";
import type { World } from "../world.ts";
import { deliver, stanzaKey } from "./delivery.ts";

const RETRY_INFO = "WhatsApp Media Retry Notification";
const { ResultType } = proto.MediaRetryNotification;

export function answerMediaRetry(receipt: Stanza, companion: Companion, world: World): void {
  const id = receipt.attrs["id"] ?? "";
  const rmr = childOf(receipt, "rmr")?.attrs ?? {};
  const lost = world.media.keyOfMessage(id);
  const answer = lost
    ? encrypted(id, lost.mediaKey, { stanzaId: id, directPath: lost.directPath, result: ResultType.SUCCESS })
    : [stanza("error", { code: ResultType.NOT_FOUND })];
  const notification = stanza(
    "notification",
    { from: pnJid(companion.account.number), type: "mediaretry", id, t: Math.floor(Date.now() / 1000) },
    [stanza("rmr", { jid: rmr["jid"], from_me: rmr["from_me"], participant: rmr["participant"] }), ...answer],
  );
  deliver(
    companion,
    { key: stanzaKey("notification", id), stanza: notification, afterOffline: false },
    world,
  );
}

function encrypted(id: string, mediaKey: Uint8Array, result: proto.IMediaRetryNotification): Stanza[] {
  const key = Buffer.from(hkdfSync("sha256", mediaKey, Buffer.alloc(0), RETRY_INFO, 32));
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  cipher.setAAD(Buffer.from(id));
  const body = proto.MediaRetryNotification.encode(result).finish();
  const sealed = Buffer.concat([cipher.update(body), cipher.final(), cipher.getAuthTag()]);
  return [stanza("encrypt", {}, [stanza("enc_p", {}, sealed), stanza("enc_iv", {}, iv)])];
}
