import { defineConfig } from "vitest/config";

/** These put something in a module's place, or look at the WhatsApp library as it comes, before the hub corrects it. */
const OWN_MODULES = [
  "test/integration/emulator-*.test.ts",
  "test/unit/bridge-method-keys.test.ts",
  "test/unit/http-passwords.test.ts",
  "test/unit/whatsapp-signal-hardening.test.ts",
];

/**
 * Two files at a time: the tests start real processes, and a CI machine has two cores. Files that share a process read the
 * modules once, which halves the time of the whole run: so no test may leave anything behind in a module or in `process.env`.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/{unit,conformance,integration}/**/*.test.ts"],
          exclude: OWN_MODULES,
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: "apart", include: ["test/{e2e,faults}/**/*.test.ts", ...OWN_MODULES] },
      },
    ],
  },
});
