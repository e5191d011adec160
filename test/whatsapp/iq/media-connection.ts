/** `media_conn`: where to upload. The host may carry a port and is always spoken to in https (Baileys rc14, messages-media.js). */
import { stanza } from "../wire/stanza.ts";
import type { IqHandler } from "./answer.ts";

const TTL_SECONDS = 300;

export const mediaConnection: IqHandler = (_request, world) => [
  stanza("media_conn", { auth: "emulator", ttl: TTL_SECONDS, max_buckets: 12 }, [
    stanza("host", { hostname: world.mediaHost(), maxContentLengthBytes: 2 ** 31 - 1 }),
  ]),
];
