/** What CRMs are told when somebody lets a session's bot answer, or stops it. The hub only keeps the word; bots read it. */
import { toSeconds } from "./clock.ts";
import type { NewEvent } from "./new-event.ts";
import type { SessionSettings } from "./session.ts";

type Bot = SessionSettings["bot"];

/** Nothing when it stays as it is. `by`: label of the API client that said so. */
export function botNews(
  before: Bot,
  { enabled, reason }: Bot,
  { by, now }: { by: string | null; now: Date },
): NewEvent[] {
  if (before.enabled === enabled && before.reason === reason) return [];
  return [
    {
      event: "bot.status",
      chatId: null,
      data: { enabled, reason, by, timestamp: toSeconds(now) },
      exceptClient: null,
      notBefore: null,
    },
  ];
}
