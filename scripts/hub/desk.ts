/** Where an operator's command works: its environment, where it writes, and how it ends. */
import { callHub, type HubCalls } from "./hub-calls.ts";

export interface Desk {
  env: Record<string, string | undefined>;
  now(): Date;
  out(text: string): void;
  err(text: string): void;
}

/** What a command found: for programs, for people, and whether something is wrong. */
export interface Finding {
  data: unknown;
  text: string;
  isProblem?: boolean;
}

/** The command could not do its work; the sentence says why and what helps. Ends with 1. */
export class CommandError extends Error {}

/** The command was called in a way that makes no sense. Ends with 2. */
export class UsageError extends Error {}

/** What each command is given. */
export interface Bench {
  desk: Desk;
  /** Asked for by those commands alone that talk to a running hub. */
  hub(): HubCalls;
  /** Prints a finding in the form that was asked for, and remembers how the command ends. */
  show(finding: Finding): void;
}

export const hubOf = (desk: Desk): HubCalls => callHub(desk.env);
