/** Where the packages come from: exact releases of the registry alone, of which none runs code of its own when it is installed. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";

const ROOT = new URL("../..", import.meta.url).pathname;
const read = <T extends z.ZodType>(file: string, schema: T): z.output<T> =>
  schema.parse(JSON.parse(readFileSync(`${ROOT}${file}`, "utf8")));

const versions = z.record(z.string(), z.string()).default({});
const manifest = read(
  "package.json",
  z.object({
    dependencies: versions,
    devDependencies: versions,
    optionalDependencies: versions,
    peerDependencies: versions,
    overrides: z.never().optional(),
    allowScripts: z.record(z.string(), z.boolean()),
  }),
);
const lock = read(
  "package-lock.json",
  z.object({
    lockfileVersion: z.literal(3),
    packages: z.record(
      z.string(),
      z.object({
        version: z.string().optional(),
        resolved: z.string().optional(),
        integrity: z.string().optional(),
        link: z.boolean().optional(),
        inBundle: z.boolean().optional(),
        hasInstallScript: z.boolean().optional(),
        dependencies: versions,
        optionalDependencies: versions,
      }),
    ),
  }),
);
const { "": own, ...packages } = lock.packages;

const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
/** A range, or another name of a package of the registry; not git, a file or an address. */
const OF_REGISTRY = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?[^:/]*$/;

test("the project asks for exact versions", () => {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  const asked = { ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies };
  expect(Object.entries(asked).filter(([, version]) => !EXACT.test(version))).toEqual([]);
  expect(own?.dependencies).toEqual(dependencies);
});

test("the lock file has releases of the registry, with their hashes, and nothing from git or elsewhere", () => {
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  const strangers = Object.entries(packages).filter(
    ([, { version, resolved, integrity, link, inBundle, dependencies, optionalDependencies }]) =>
      link === true ||
      !EXACT.test(version ?? "") ||
      (resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/")) ||
      (inBundle !== true && !/^sha512-/.test(integrity ?? "")) ||
      Object.values({ ...dependencies, ...optionalDependencies }).some((spec) => !OF_REGISTRY.test(spec)),
  );
  expect(strangers).toEqual([]);
});

test("whoever has an install script is on the list of those that are known to", () => {
  const withScript = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.split("node_modules/").at(-1));
  expect(withScript.filter((name) => !Object.hasOwn(manifest.allowScripts, name ?? ""))).toEqual([]);
  expect(Object.entries(manifest.allowScripts).filter(([, allowed]) => allowed)).toEqual([
    ["better-sqlite3", true],
  ]);
});
