/**
 * Copies files of new messages into the site: the hub's short addresses live a week. A copy that fails costs the file
 * alone; the message is there, and its address works for now.
 */
import got from "got";
import { z } from "zod";
import type { WriteResult } from "../../adapter.ts";
import type { Message } from "../../records.ts";
import type { Row } from "./field-values.ts";
import { mediaItems, sentAt } from "./message-fields.ts";
import { MESSAGE, type Site } from "./site.ts";
import { expecting } from "./site-answer.ts";
import type { SiteCalls } from "./site-calls.ts";

/** What a site takes unless told otherwise. */
const LARGEST = 25 * 1024 * 1024;
const DOWNLOAD_MS = 8000;

export interface MediaCopy {
  copyNew(messages: Message[], results: WriteResult[]): Promise<void>;
}

const uploaded = z.object({ message: z.object({ file_url: z.string() }) });

export function createMediaCopy({
  calls,
  tables,
  time,
  log,
}: Pick<Site, "tables" | "time" | "log"> & { calls: SiteCalls }): MediaCopy {
  const copy = async (message: Message, docname: string): Promise<void> => {
    const { media } = message;
    if (media === null) return;
    if (media.filesize > LARGEST) throw new Error(`the file has ${media.filesize} bytes`);
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
    const changes = { media_items: mediaItems(message, { file }), ...sentAt(asRow(message), await time()) };
    await tables.update(MESSAGE, { name: docname, changes });
  };

  const asRow = ({ fromMe, timestamp }: Message): Row => ({
    direction: fromMe ? "Outgoing" : "Incoming",
    sent_at: "",
    timestamp,
  });

  return {
    copyNew: async (messages, results) => {
      for (const [index, message] of messages.entries()) {
        const result = results[index];
        if (message.media === null || result?.outcome !== "created" || result.id === undefined) continue;
        try {
          await copy(message, result.id);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          log.warn(
            { document: result.id, mediaId: message.media.mediaId, reason },
            "frappe.media_not_copied",
          );
        }
      }
    },
  };
}
