/** A secret as a person types it: unseen, and twice; or as a program pipes it in: one line. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CommandError } from "./command-error.ts";

export async function askSecret(what: string): Promise<string> {
  if (!process.stdin.isTTY) return lineOf("");
  const first = await lineOf(`${what}: `);
  const second = await lineOf(`${what} again: `);
  if (first !== second) throw new CommandError("They are not the same. Nothing was done.");
  return first;
}

function lineOf(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  // What is typed would be echoed here.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: unseen, terminal: process.stdin.isTTY });
  return new Promise((resolve, reject) => {
    reader.once("line", (line) => {
      resolve(line);
      reader.close();
    });
    reader.once("close", () => {
      if (prompt !== "") process.stderr.write("\n");
      reject(new CommandError("Nothing was typed. Nothing was done."));
    });
  });
}
