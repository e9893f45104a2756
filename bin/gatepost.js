#!/usr/bin/env node
import { existsSync } from 'node:fs';

const entry = new URL('../bundle/cli/main.js', import.meta.url);
if (!existsSync(entry)) {
  process.stderr.write('gatepost is not built yet: run "npm ci" (or "npm run build") in its folder first.\n');
  process.exit(2);
}
await import(entry.href);
