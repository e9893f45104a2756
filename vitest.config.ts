import os from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    // Many tests wait for processes that they start: one file more than there are cores keeps these busy.
    maxWorkers: os.availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
