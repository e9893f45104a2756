import os from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/run.ts'],
    pool: 'forks',
    // A process runs one file after the other, and loads the libraries once: no test leaves anything behind in it.
    isolate: false,
    // Many tests wait for processes that they start: one file more than there are cores keeps these busy.
    maxWorkers: os.availableParallelism() + 1,
    // No test is about time: what is waited for may come late on a busy machine.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
