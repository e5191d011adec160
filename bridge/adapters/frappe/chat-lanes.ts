/**
 * Work on chats, each in its lane, under the ids as the hub tells them. A merge holds the lanes of both its chats: what waited for
 * that of the hidden id, and finds that it is somebody's by then, goes on in the lane of the person.
 */
import { chatLane, runInAll, type Lanes } from "../../lanes.ts";
import type { Aliases } from "./aliases.ts";

export interface ChatLanes {
  /** `work` gets the ids under which people are kept, which are those of its lanes until it ends. */
  run<T>(
    sessionId: string,
    chatIds: string[],
    work: (resolve: (id: string) => string) => Promise<T>,
  ): Promise<T>;
}

export function createChatLanes(lanes: Lanes, aliases: Pick<Aliases, "resolver">): ChatLanes {
  return {
    run: async (sessionId, chatIds, work) => {
      const resolve = await aliases.resolver(sessionId);
      for (;;) {
        const ids = chatIds.map(resolve);
        const names = ids.map((id) => chatLane(sessionId, id));
        const done = await runInAll(lanes, names, async () => {
          if (chatIds.some((id, index) => resolve(id) !== ids[index])) return null;
          return { result: await work(resolve) };
        });
        if (done !== null) return done.result;
      }
    },
  };
}
