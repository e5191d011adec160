/** Files: uploaded to be sent, downloaded with a key, or without one by a short-lived token. */
import { z } from "zod";
import { mediaSchema } from "../../contract/resources.ts";
import { HubError } from "../../core/errors.ts";
import { created, download, ok } from "../answer.ts";
import type { Caller } from "../auth.ts";
import type { HttpContext } from "../context.ts";
import { uploadedMedia } from "../media-answer.ts";
import { openRoute, route, type Route } from "../route.ts";
import { receiveFile } from "../upload.ts";
import { inMedia } from "./params.ts";

/** @throws HubError `MEDIA_NOT_FOUND`, also for files of sessions the caller does not see */
async function refuseForeign(
  mediaId: string,
  caller: Caller,
  { store }: Pick<HttpContext, "store">,
): Promise<void> {
  const item = await store.media.get(mediaId);
  if (item === null || (item.sessionId !== null && !caller.sees(item.sessionId)))
    throw new HubError("MEDIA_NOT_FOUND", "This file is not known here.");
}

export const mediaRoutes: Route[] = [
  route({
    method: "post",
    path: "/api/media",
    summary: "Keeps a file, to be sent by its mediaId",
    scope: "media",
    query: z.object({ filename: z.string().max(255).optional() }),
    bodyForm: { form: "stream" },
    response: mediaSchema,
    status: 201,
    handle: ({ query, call }, ctx) =>
      receiveFile(call.request, query.filename ?? null, async ({ bytes, ...about }) =>
        created(await uploadedMedia(await ctx.media.upload(bytes, { ...about, sessionId: null }), ctx)),
      ),
  }),
  route({
    method: "get",
    path: "/api/media/{mediaId}",
    summary: "The bytes of a file; parts may be asked for with Range",
    scope: "media",
    params: inMedia,
    response: "bytes",
    handle: async ({ params, caller }, ctx) => {
      await refuseForeign(params.mediaId, caller, ctx);
      return download(await ctx.media.open(params.mediaId));
    },
  }),
  route({
    method: "delete",
    path: "/api/media/{mediaId}",
    summary: "Deletes a file from the hub",
    scope: "media",
    params: inMedia,
    response: z.object({ deleted: z.literal(true) }),
    handle: async ({ params, caller }, ctx) => {
      await refuseForeign(params.mediaId, caller, ctx);
      await ctx.media.remove(params.mediaId);
      return ok({ deleted: true });
    },
  }),
  openRoute({
    method: "get",
    path: "/m/{token}",
    summary: "The bytes of a file, by the token of its short URL",
    scope: "open",
    contract: true,
    params: z.object({ token: z.string().regex(/^[A-Za-z0-9_-]{22}$/, "is not a media token") }),
    response: "bytes",
    handle: async ({ params }, { media }) => download(await media.openByToken(params.token)),
  }),
];
