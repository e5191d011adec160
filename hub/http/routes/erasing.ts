/** What was said in a chat is forgotten for good. */
import { z } from "zod";
import { erasedSchema } from "../../contract/administration.ts";
import { chatOf } from "../addresses.ts";
import { ok } from "../answer.ts";
import { sessionRoute, type Route } from "../route.ts";
import { inChat } from "./params.ts";

export const erasingRoutes: Route[] = [
  sessionRoute({
    method: "delete",
    path: "/api/messages/{sessionId}/chats/{chatId}",
    summary:
      "Erases what was said in a chat: messages, files, events; 409 while some of it is still to be sent or told",
    scope: "admin",
    params: inChat,
    response: z.object({ sessionId: z.string(), erased: erasedSchema }),
    handle: async ({ session, caller, params }, ctx) => {
      const { sessionId } = session;
      const chatId = await chatOf({ session, caller }, params.chatId, ctx);
      const erase = await ctx.erasure.prepare({ sessionId, chatId });
      return ok({ sessionId, erased: await erase() });
    },
  }),
];
