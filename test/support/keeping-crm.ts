/** Any other CRM, which keeps the messages it is handed: it is well, away, failing, silent or choosy as a test says. */
import type { HttpCrmConfig } from "../../bridge/adapters/http/http-adapter.ts";
import { good, itemsOf, keyOf, openCrm, type Reply, type Taken } from "./answering-crm.ts";

export interface KeptMessage {
  chatId: string;
  content: string;
}

export type KeepingCrm = Awaited<ReturnType<typeof openKeepingCrm>>;

export async function openKeepingCrm(config: Partial<HttpCrmConfig> = {}) {
  const rows = new Map<string, KeptMessage>();
  /** Messages of which the bridge was told that they are kept. */
  const answered = new Set<string>();
  const again: string[] = [];
  let trouble: (taken: Taken) => Reply | null = () => null;

  const keep = (taken: Taken, { isAnswered }: { isAnswered: boolean }): void => {
    if (taken.path !== "/messages/batch") return;
    for (const item of itemsOf(taken)) {
      const key = keyOf(item);
      if (!rows.has(key)) rows.set(key, { chatId: String(item["chatId"]), content: String(item["content"]) });
      if (answered.has(key)) again.push(key);
      if (isAnswered) answered.add(key);
    }
  };
  const { adapter, server } = await openCrm((taken) => {
    const reply = trouble(taken);
    // Whoever says nothing may have done it all the same.
    if (reply === null || reply === "silent") keep(taken, { isAnswered: reply === null });
    return reply ?? good(taken);
  }, config);

  return {
    server,
    adapter,
    /** In the order in which they were kept first. */
    messages: (): KeptMessage[] => [...rows.values()],
    /** Handed over once more after the bridge had been told that they are kept. */
    again: (): string[] => again,
    /** What it answers from now on; null: it is well, and keeps. */
    troubles: (how: (taken: Taken) => Reply | null = () => null): void => {
      trouble = how;
    },
  };
}
