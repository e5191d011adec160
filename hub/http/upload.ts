/** The file inside a request: the raw body, or the field `file` of a form. Streamed, never held in memory. */
import type { Request } from "express";
import { PassThrough, type Readable } from "node:stream";
import busboy from "busboy";
import { HubError } from "../core/errors.ts";
import { invalid } from "./errors.ts";

export interface UploadedFile {
  bytes: Readable;
  filename: string | null;
  mimetype: string | null;
}

/** A form with more than a few fields is not an upload. */
const FORM_LIMITS = { files: 1, fields: 20, fieldSize: 4096, parts: 21, headerPairs: 50 };

/**
 * Hands the file to `use` and waits for it; the stream ends early with an error when the request does.
 * @throws HubError `VALIDATION_ERROR` when there is no file, `UNSUPPORTED_MEDIA_TYPE` for compressed bodies
 */
export function receiveFile<T>(
  request: Request,
  filename: string | null,
  use: (file: UploadedFile) => Promise<T>,
): Promise<T> {
  const type = request.headers["content-type"] ?? null;
  if ((request.headers["content-encoding"] ?? "identity") !== "identity")
    throw new HubError("UNSUPPORTED_MEDIA_TYPE", "Send a file without Content-Encoding.");
  if (type === null || !type.toLowerCase().startsWith("multipart/form-data"))
    return use({ bytes: bodyOf(request), filename, mimetype: type });
  return fromForm(request, filename, use);
}

/** A stream of its own: whoever gives it up ends it, and the connection must live on to carry the refusal. */
function bodyOf(request: Request): Readable {
  const bytes = new PassThrough();
  endWith(request, bytes);
  return request.pipe(bytes);
}

function endWith(request: Request, bytes: Readable): void {
  bytes.on("error", () => undefined); // whoever reads it by then hears of it; before, nobody has to
  onCut(request, () => bytes.destroy(new Error("the upload was cut")));
}

/** Also where that was before anybody asked: a key is looked up first. */
function onCut(request: Request, cut: () => void): void {
  const look = (): void => {
    if (!request.complete) cut();
  };
  if (request.destroyed) look();
  else request.once("close", look);
}

/** Forms may leave the name out, whatever the typings say. */
const nameOf = ({ filename }: { filename?: string | undefined }): string | null => filename ?? null;

function fromForm<T>(
  request: Request,
  filename: string | null,
  use: (file: UploadedFile) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const refuse = (problem: string): void => reject(invalid([{ path: "file", problem }]));
    let form: busboy.Busboy;
    try {
      form = busboy({ headers: request.headers, limits: FORM_LIMITS, defParamCharset: "utf8" });
    } catch {
      refuse("the form is malformed"); // its message quotes the header; ours says as much as the caller needs
      return;
    }
    let found = false;
    form.on("file", (field, bytes, about) => {
      endWith(request, bytes); // one that nobody asked for ends in the same way
      if (field !== "file" || found) {
        bytes.resume();
        return;
      }
      found = true;
      use({ bytes, filename: filename ?? nameOf(about), mimetype: about.mimeType }).then(
        resolve,
        (error: unknown) => {
          bytes.resume();
          reject(error instanceof Error ? error : new Error("the upload failed", { cause: error }));
        },
      );
    });
    form.on("error", () => refuse("the form is malformed"));
    form.on("close", () => {
      if (!found) refuse("the form has no field named file");
    });
    onCut(request, () => {
      request.unpipe(form);
      form.destroy();
      if (!found) refuse("the upload was cut");
    });
    request.pipe(form);
  });
}
