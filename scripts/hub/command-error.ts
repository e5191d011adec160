/** How a command ends that cannot do its work. */

/** The command could not do its work; the sentence says why and what helps. Ends with 1. */
export class CommandError extends Error {}

/** The command was called in a way that makes no sense. Ends with 2. */
export class UsageError extends Error {}
