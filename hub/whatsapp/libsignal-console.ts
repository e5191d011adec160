/** libsignal prints whole sessions, private keys included, on the console: those lines, and only those, are dropped. */

const SAID_BY_LIBSIGNAL = [
  "Closing session:",
  "Opening session:",
  "Removing old closed session:",
  "Session already closed",
  "Session already open",
  "Session error:",
  "Failed to decrypt message with any known session",
  "Decrypted message with closed session.",
  "Closing open session in favor of incoming prekey bundle",
  "Migrating session to:",
  "V1 session storage migration error",
  "Unhandled bucket type",
  "WARNING: Expected pubkey of length 33",
];

const METHODS = ["info", "warn", "error"] as const;

/** Returns the function that gives the console back. */
export function silenceLibsignal(
  target: Pick<Console, (typeof METHODS)[number]> = globalThis.console,
): () => void {
  const restore: (() => void)[] = [];
  for (const method of METHODS) {
    const original = target[method];
    target[method] = (...args: unknown[]): void => {
      const [first] = args;
      if (typeof first === "string" && SAID_BY_LIBSIGNAL.some((start) => first.startsWith(start))) return;
      original.apply(target, args);
    };
    restore.push(() => {
      target[method] = original;
    });
  }
  return () => {
    for (const give of restore) give();
  };
}
