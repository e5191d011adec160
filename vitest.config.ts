import { defineConfig } from "vitest/config";

/** Two files at a time: the tests start real processes, and a CI machine has two cores. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
