/** Passwords: what is kept of one, and whether a given one is it. The work is the same for people who do not exist. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import PQueue from "p-queue";
import { HubError } from "../core/errors.ts";
import type { PasswordHash } from "../core/user.ts";

export type PasswordCost = Pick<PasswordHash, "cost" | "blockSize" | "parallelization">;

/** About a tenth of a second and 32 MB. */
const COST: PasswordCost = { cost: 2 ** 15, blockSize: 8, parallelization: 3 };
const HASH_BYTES = 32;
const SALT_BYTES = 16;
/** Who comes when so many wait would be answered after his patience. */
const MOST_WAITING = 32;

export interface Passwords {
  hash(password: string): Promise<PasswordHash>;
  /** False for null, after as much work. */
  matches(password: string, kept: PasswordHash | null): Promise<boolean>;
}

export function createPasswords(cost: PasswordCost = COST): Passwords {
  // One after the other: each takes memory and a thread that files and look-ups of names need as well.
  const turns = new PQueue({ concurrency: 1 });
  const nobody: PasswordHash = { ...cost, hash: inBase64(HASH_BYTES), salt: inBase64(SALT_BYTES) };

  const derive = async (password: string, salt: string, by: PasswordCost): Promise<Buffer> => {
    if (turns.size + turns.pending >= MOST_WAITING)
      throw new HubError("OVERLOADED", "Too many people log in at this moment; repeat in a moment.");
    return turns.add(() => derived(password, Buffer.from(salt, "base64"), by));
  };

  return {
    hash: async (password) => {
      const salt = inBase64(SALT_BYTES);
      return { ...cost, salt, hash: (await derive(password, salt, cost)).toString("base64") };
    },
    matches: async (password, kept) => {
      const expected = kept ?? nobody;
      const given = await derive(password, expected.salt, expected);
      const hash = Buffer.from(expected.hash, "base64");
      return hash.length === given.length && timingSafeEqual(hash, given) && kept !== null;
    },
  };
}

const inBase64 = (bytes: number): string => randomBytes(bytes).toString("base64");

const derived = (
  password: string,
  salt: Buffer,
  { cost, blockSize, parallelization }: PasswordCost,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    // The same letters can be written as different bytes, by keyboards of different systems.
    const typed = password.normalize("NFKC");
    const maxmem = 2 * 128 * cost * blockSize;
    scrypt(typed, salt, HASH_BYTES, { cost, blockSize, parallelization, maxmem }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
