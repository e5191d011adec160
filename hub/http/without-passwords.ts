/** What a request is compared by holds no password: its hash is kept, and that is one that costs nothing to guess with. */

/** Lists of numbers are left as they are: a file may come as millions of bytes. */
export function withoutPasswords(value: unknown): unknown {
  if (Array.isArray(value)) return value.some(isObject) ? value.map(withoutPasswords) : value;
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !/password/i.test(name))
      .map(([name, member]) => [name, withoutPasswords(member)]),
  );
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
