/** What a route answers, before anything is on the wire: the envelope of the contract, a file, or a page. */
import type { Request, Response } from "express";
import type { Page } from "../core/page.ts";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body:
    | { kind: "text"; type: string; text: string }
    | { kind: "bytes"; type: string; bytes: Buffer }
    | { kind: "file"; type: string; filename: string; path: string };
}

const JSON_TYPE = "application/json; charset=utf-8";

const json = (status: number, text: string): Answer => ({
  status,
  headers: {},
  body: { kind: "text", type: JSON_TYPE, text },
});

/** 200 with the envelope. `message` is a sentence for people; it is left out, never null. */
export const ok = (data: unknown, message?: string): Answer =>
  json(200, JSON.stringify({ success: true, data, ...(message === undefined ? {} : { message }) }));

export const created = (data: unknown): Answer => json(201, JSON.stringify({ success: true, data }));

/** Health and its like have no envelope: load balancers read the first level. */
export const flat = (body: object, status = 200): Answer => json(status, JSON.stringify(body));

/** `data` that is JSON text already: events go out as the bytes they were frozen in. */
export const okText = (data: string): Answer => json(200, `{"success":true,"data":${data}}`);

/** What is kept of an answer for repeats; only JSON is ever kept. */
export function storedText({ body }: Answer): string {
  if (body.kind !== "text") throw new Error("an answer that is a file cannot be kept");
  return body.text;
}

/** An answer given before, from its stored text. */
export const again = (status: number, text: string): Answer => ({
  ...json(status, text),
  headers: { "Idempotent-Replayed": "true" },
});

export const image = (bytes: Buffer, type: string): Answer => ({
  status: 200,
  headers: {},
  body: { kind: "bytes", type, bytes },
});

export const html = (text: string, headers: Record<string, string>): Answer => ({
  status: 200,
  headers,
  body: { kind: "text", type: "text/html; charset=utf-8", text },
});

export const plain = (text: string, type: string): Answer => ({
  status: 200,
  headers: {},
  body: { kind: "text", type, text },
});

/** A file to be saved, never shown by the browser on the hub's own origin; parts may be asked for. */
export const download = (file: { path: string; filename: string; mimetype: string }): Answer => ({
  status: 200,
  headers: {},
  body: { kind: "file", type: safeType(file.mimetype), filename: safeName(file.filename), path: file.path },
});

/** Never stored by a browser or proxy: it lets somebody link an account, or proves a credential. */
export const secret = (answer: Answer): Answer => ({
  ...answer,
  headers: { ...answer.headers, "Cache-Control": "no-store" },
});

/** A list as every route gives it: `{<plural>: […], total, pagination}`; `beside` stands next to them. */
export function listOf<T>(
  plural: string,
  page: Page<T>,
  asked: { page: number; limit: number },
  present: (item: T) => unknown,
  beside: { latestSeq?: number } = {},
): Answer {
  const { total, nextCursor } = page;
  // Whoever reads page by page to the last one reads on where the total was counted no further.
  const pages = Math.max(Math.ceil(total / asked.limit), nextCursor === null ? 0 : asked.page + 1);
  return ok({
    [plural]: page.items.map(present),
    total,
    pagination: { total, page: asked.page, limit: asked.limit, pages, nextCursor },
    ...beside,
  });
}

/** Types come from strangers' phones: only what can stand in a header is repeated. */
function safeType(mimetype: string): string {
  const bare = mimetype.split(";")[0]?.trim().toLowerCase() ?? "";
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,80}$/.test(bare) ? bare : "application/octet-stream";
}

/** Names too: what cannot stand in a header, or would break a line, is left out. */
const safeName = (filename: string): string =>
  filename.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "").trim() || "file";

export async function sendAnswer(answer: Answer, request: Request, response: Response): Promise<void> {
  const { body } = answer;
  response.status(answer.status);
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
  if (!response.hasHeader("Cache-Control")) response.setHeader("Cache-Control", "private, no-cache");
  if (body.kind === "file") response.attachment(body.filename); // also guesses a type, so ours comes after it
  response.setHeader("Content-Type", body.type);
  switch (body.kind) {
    case "text":
      response.send(body.text);
      return;
    case "bytes":
      response.send(body.bytes);
      return;
    case "file":
      await sendFile(body.path, request, response);
  }
}

function sendFile(path: string, request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    // Without validators no 304 can come out; the dot is for data folders that have one in their path.
    const options = { dotfiles: "allow", etag: false, lastModified: false, cacheControl: false } as const;
    response.sendFile(path, options, (error?: Error) => {
      if (error === undefined || request.destroyed || response.writableEnded) resolve();
      else reject(error);
    });
  });
}
