/** An uploaded file as an answer, with a short URL of its own. */
import { newToken } from "../core/ids.ts";
import { cutFilename, mediaUrl } from "../core/present.ts";
import type { MediaItem } from "../core/store.ts";
import type { HttpContext } from "./context.ts";

/** As long as the URLs inside events: longer than the whole schedule of retries. */
const TOKEN_MS = 7 * 24 * 60 * 60 * 1000;

export async function uploadedMedia(
  item: MediaItem,
  ctx: Pick<HttpContext, "store" | "clock" | "publicUrl">,
) {
  const token = newToken();
  await ctx.store.media.addToken(token, item.mediaId, new Date(ctx.clock.now().getTime() + TOKEN_MS));
  return {
    mediaId: item.mediaId,
    filename: cutFilename(item.filename),
    filesize: item.filesize,
    mimetype: item.mimetype.slice(0, 140),
    url: mediaUrl(token, ctx.publicUrl),
    sha256: item.sha256,
    mediaKey: null,
  };
}
