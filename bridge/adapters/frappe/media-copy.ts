/**
 * Copies the files of messages into the site: the hub's short addresses live a week. A copy that fails costs the file alone;
 * the message is there, and each later word of it tries again until its file is there too.
 */
import got, { HTTPError, RequestError } from "got";
import { z } from "zod";
import type { WriteResult } from "../../adapter.ts";
import { createElapsed } from "../../elapsed.ts";
import { failureFacts } from "../../errors.ts";
import type { Message } from "../../records.ts";
import type { Row } from "./field-values.ts";
import { readState, STATE_FIELD, writeState } from "./hub-state.ts";
import { bounded } from "./memory.ts";
import { sentAt } from "./message-fields.ts";
import { mediaItems } from "./message-media.ts";
import { MESSAGE, type Site } from "./site.ts";
import { expecting } from "./site-answer.ts";
import type { SiteCalls } from "./site-calls.ts";

/** What a site takes unless told otherwise. */
const LARGEST = 25 * 1024 * 1024;
const DOWNLOAD_MS = 8000;
/** A file that could not be had is not asked for with every word of its message. */
const AGAIN_AFTER_MS = 600_000;
const REMEMBERED = 20_000;

export interface MediaCopy {
  /** `results` are of the `messages`, in their order; `copied`: those of which the site remembers it. */
  copyMissing(messages: Message[], results: WriteResult[], copied: Set<number>): Promise<void>;
  /** The copy in the site, which a new child table would lose. */
  fileOf(docname: string): Promise<string | null>;
}

const uploaded = z.object({ message: z.object({ file_url: z.string() }) });
const withFile = z.object({ media_items: z.array(z.object({ file: z.string().nullish() })) });

const fileIn = (document: Row | null): string | null => {
  const file = withFile.safeParse(document).data?.media_items[0]?.file ?? "";
  return file === "" ? null : file;
};

export function createMediaCopy({
  calls,
  tables,
  time,
  clock,
  log,
}: Pick<Site, "tables" | "time" | "clock" | "log"> & { calls: SiteCalls }): MediaCopy {
  const elapsed = createElapsed(clock);
  /** When each document may be looked at again. */
  const notBefore = bounded<number>(REMEMBERED);

  const copy = async (message: Message, docname: string): Promise<void> => {
    const { media } = message;
    const document = await tables.get(MESSAGE, docname);
    if (media === null || document === null || fileIn(document) !== null) return;
    const bytes = await got(media.url, {
      timeout: { request: DOWNLOAD_MS },
      retry: { limit: 0 },
      responseType: "buffer",
    }).buffer();
    const form = new FormData();
    form.set("file", new Blob([bytes], { type: media.mimetype }), media.filename);
    form.set("is_private", "1");
    form.set("doctype", MESSAGE);
    form.set("docname", docname);
    const file = expecting(uploaded, await calls.upload("/api/method/upload_file", form)).message.file_url;
    const state = readState(document[STATE_FIELD]);
    await tables.update(MESSAGE, {
      name: docname,
      changes: {
        media_items: mediaItems(message, { file, mediaId: state.mediaId }),
        ...sentAt(document, await time()),
        [STATE_FIELD]: writeState({ ...state, isCopied: true }),
      },
    });
  };

  /** False when nobody answered at all: the other files would wait as long, each. */
  const tried = async (message: Message, docname: string): Promise<boolean> => {
    const mediaId = message.media?.mediaId;
    try {
      await copy(message, docname);
      notBefore.set(docname, Infinity);
      return true;
    } catch (error) {
      notBefore.set(docname, elapsed() + AGAIN_AFTER_MS);
      log.warn({ document: docname, mediaId, ...kindOf(error) }, "frappe.media_not_copied");
      return error instanceof HTTPError;
    }
  };

  return {
    copyMissing: async (messages, results, copied) => {
      for (const [index, message] of messages.entries()) {
        const { outcome = "rejected", id } = results[index] ?? {};
        if (message.media === null || outcome === "rejected" || id === undefined || copied.has(index))
          continue;
        if (elapsed() < (notBefore.get(id) ?? 0)) continue;
        if (message.media.filesize > LARGEST) {
          notBefore.set(id, Infinity);
          const reason = `the file has ${message.media.filesize} bytes`;
          log.warn({ document: id, mediaId: message.media.mediaId, reason }, "frappe.media_not_copied");
          continue;
        }
        if (!(await tried(message, id))) return;
      }
    },
    fileOf: async (docname) => fileIn(await tables.get(MESSAGE, docname)),
  };
}

/** Its words hold the file's address, which is a key to it. */
function kindOf(error: unknown): object {
  if (error instanceof HTTPError) return { reason: error.name, status: error.response.statusCode };
  return error instanceof RequestError ? { reason: error.name, code: error.code } : failureFacts(error);
}
