import { defineConfig } from 'vitest/config';

// Tests run on what `npm run build` wrote: worker threads and killed child processes are then the shipped code itself.
export default defineConfig({
  test: {
    include: ['dist/**/*.test.js'],
    exclude: ['dist/**/*.slow.test.js'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: ['dist/fixtures/property_seed.test.setup.js'],
    maxWorkers: 2,
  },
});
