import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { CreateContext, Detector, DetectorInput, DetectorModule, Finding, PrepareContext } from '../types.js';
import { EICAR_NAME, isEicar, isEicarText } from './eicar.js';
import { isHashTable, loadHashLists } from './hash-files.js';
import { lookUp, type HashTable } from './hash-list.js';
import { compilePatterns, patternsSchema, type Pattern } from './patterns.js';
import { textParts } from './text-parts.js';

/** Bytes after which the thread's loop gets a turn, so that a timeout or an abort can take effect. */
const TURN = 8 * 2 ** 20;

const settings = z.strictObject({
  lists: z
    .union([z.array(z.string()), z.string().transform((file) => [file])])
    .default([])
    .describe('files of SHA-256 sums, a `hash  name` a line'),
  patterns: patternsSchema.describe('byte sequences in hexadecimal digits, each with a name'),
});
type Settings = z.output<typeof settings>;

/** Finds the EICAR test file, objects whose SHA-256 sum is on a list, and byte patterns. */
export const signatures: DetectorModule<Settings> = {
  name: 'signatures',
  settings,
  statuses: ['infected'],
  prepare: async (given: Settings, context: PrepareContext) => await loadHashLists(given.lists, context),
  create: (given: Settings, context: CreateContext): Detector =>
    new SignatureDetector(compilePatterns(given.patterns), isHashTable(context.data) ? context.data : undefined),
};

class SignatureDetector implements Detector {
  private readonly patterns: readonly Pattern[];
  private readonly hashes: HashTable | undefined;

  constructor(patterns: readonly Pattern[], hashes: HashTable | undefined) {
    this.patterns = patterns;
    this.hashes = hashes;
  }

  async inspect(input: DetectorInput): Promise<readonly Finding[]> {
    const { message } = input;
    const findings: Finding[] = [];
    let worked = 0;
    for (const bytes of textParts(message)) {
      const name = isEicarText(bytes) ? EICAR_NAME : this.threatIn(bytes);
      if (name !== undefined)
        findings.push({ module: 'signatures', status: 'infected', name, size: bytes.length, detail: 'in the text' });
      worked += bytes.length;
    }
    for (const object of message.objects) {
      if (worked > TURN) {
        await nextTurn();
        worked = 0;
      }
      input.signal.throwIfAborted();
      const bytes = object.content();
      // What cannot be opened is reported by the reader of the message, as a problem or as encrypted.
      if (bytes === undefined) continue;
      worked += bytes.length;
      const name = isEicar(bytes) ? EICAR_NAME : this.threatIn(bytes);
      if (name !== undefined)
        findings.push({ module: 'signatures', status: 'infected', name, object: object.path, size: object.size });
    }
    return findings;
  }

  private threatIn(bytes: Buffer): string | undefined {
    if (this.hashes !== undefined) {
      const name = lookUp(this.hashes, createHash('sha256').update(bytes).digest());
      if (name !== undefined) return name;
    }
    return this.patterns.find(({ mark }) => mark.isIn(bytes))?.name;
  }
}
