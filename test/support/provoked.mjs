/**
 * Loaded before a hub, so that at SIGUSR2 the process does to itself what HUB_PROVOKE names: what must end a process, and what
 * must not. The last one is what the WhatsApp library leaves to nobody when its socket goes away under it.
 */
const PROVOCATIONS = {
  abort: () => process.abort(),
  rejection: () => void Promise.reject(new Error("somebody's bug")),
  memory: () => {
    const hoard = [];
    for (;;) hoard.push(Array.from({ length: 10_000 }, (_, n) => ({ n })));
  },
  closed: () => {
    const closed = new Error("Connection Closed");
    void Promise.reject(Object.assign(closed, { isBoom: true, output: { statusCode: 428 } }));
  },
};

process.on("SIGUSR2", PROVOCATIONS[process.env.HUB_PROVOKE]);
