import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PROGRAM_FOLDER } from './load.js';

/** The version in package.json. */
export function version(): string {
  return z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(path.join(PROGRAM_FOLDER, 'package.json'), 'utf8'))).version;
}
