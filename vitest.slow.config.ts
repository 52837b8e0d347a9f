import { defineConfig } from 'vitest/config';

// The slower suites: kills, memory, floods and fuzzing at length. One at a time, since each wants both cores.
export default defineConfig({
  test: {
    include: ['dist/**/*.slow.test.js'],
    testTimeout: 1_200_000,
    hookTimeout: 120_000,
    setupFiles: ['dist/fixtures/property_seed.test.setup.js'],
    fileParallelism: false,
  },
});
