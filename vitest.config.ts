import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/run-folder.ts',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Conditions are waited for as long as a busy machine may take; by default it is a second.
    expect: { poll: { timeout: 10_000, interval: 20 } },
    // Two cores are the machine we promise to be green on.
    maxWorkers: 2,
  },
});
