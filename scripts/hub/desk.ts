/** Where an operator's command works: its environment, where it writes, and how it ends. */
import type { HubCalls } from "./hub-calls.ts";

export interface Desk {
  env: Record<string, string | undefined>;
  now(): Date;
  out(text: string): void;
  err(text: string): void;
  /** Asks for what nobody is to see; left out where there is nobody to ask. */
  askSecret?: (what: string) => Promise<string>;
}

/** What a command found: for programs, for people, and whether something is wrong. */
export interface Finding {
  data: unknown;
  text: string;
  isProblem?: boolean;
}

/** What each command is given. */
export interface Bench {
  desk: Desk;
  /** Asked for by those commands alone that talk to a running hub. */
  hub(): HubCalls;
  /** Prints a finding in the form that was asked for, and remembers how the command ends. */
  show(finding: Finding): void;
}
