import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { isMissing, type DurableFiles } from '../store/files.js';
import { messageOf } from '../store/errors.js';
import type { Log } from '../telemetry/log.js';
import type { KeptState } from './state.js';

const time = z.iso.datetime().transform((text) => new Date(text));
const severity = z.enum(['diagnostic', 'informative', 'warning', 'error', 'critical']);
const condition = z.object({
  event: z.string(),
  node: z.string(),
  subject: z.string(),
  severity,
  detail: z.string(),
  first: time,
  last: time,
  lastSuccess: time.exactOptional(),
  resolvedAt: time.exactOptional(),
});
const stateSchema = z.object({
  version: z.literal(1),
  conditions: z.array(condition.extend({ worst: severity.exactOptional() })).max(10_000),
  waiting: z.array(z.object({ id: z.uuid(), change: z.enum(['raised', 'resolved']), condition })).max(100_000),
});

/**
 * What a former run of this node left. A file that cannot be read is set aside and does not stop the start: the store
 * has nearly all of it.
 */
export async function loadState(file: string, files: DurableFiles, log: Log): Promise<KeptState | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (!isMissing(error)) log.error({ file, reason: messageOf(error) }, 'the state of events cannot be read');
    return undefined;
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (error) {
    log.error({ file, reason: messageOf(error) }, 'the state of events is damaged: it is set aside');
    await files.move(file, `${file}.damaged`);
    return undefined;
  }
}

export async function saveState(file: string, files: DurableFiles, state: KeptState): Promise<void> {
  await files.replace(file, `${JSON.stringify({ version: 1, ...state })}\n`);
}
