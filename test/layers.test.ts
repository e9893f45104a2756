import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** From the top downwards: a folder imports from itself and from those below it. */
const LAYERS = [
  'cli',
  'gateway',
  'smtp',
  'delivery',
  'notifications',
  'events',
  'pipeline',
  'rules',
  'detectors',
  'directory',
  'queue',
  'store',
  'message',
  'telemetry',
  'config',
];
/** These know nothing of SMTP, queues or databases. */
const PURE = ['rules', 'detectors', 'message', 'pipeline'];

const source = path.join(import.meta.dirname, '..', 'src');

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly target: string;
  readonly typesOnly: boolean;
}

function imports(): Import[] {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (f) => f.endsWith('.ts') && !f.endsWith('.test.ts'),
  );
  return files.flatMap((file) => {
    const text = readFileSync(path.join(source, file), 'utf8');
    return [...text.matchAll(/^(?:import|export) (type )?[^;]*?from '(\.[^']+)';/gm)].map((match) => {
      const target = path.normalize(path.join(path.dirname(file), match[2] ?? ''));
      return {
        file,
        from: file.split(path.sep)[0] ?? '',
        to: target.split(path.sep)[0] ?? '',
        target,
        typesOnly: match[1] !== undefined,
      };
    });
  });
}

describe('the folder tree is the architecture', () => {
  const all = imports();

  it('imports run downwards only; shapes of plain data (types.ts) may be named from below', () => {
    const wrong = all.filter(
      (i) => LAYERS.indexOf(i.to) < LAYERS.indexOf(i.from) && !(i.typesOnly && i.target.endsWith('types.js')),
    );
    expect(wrong.map((i) => `${i.file} -> ${i.to}`)).toEqual([]);
  });

  it('every folder has its place', () => {
    expect([...new Set(all.flatMap((i) => [i.from, i.to]))].filter((folder) => !LAYERS.includes(folder))).toEqual([]);
  });

  it('rules, detectors, message and pipeline import no queue, store or SMTP code', () => {
    const wrong = all.filter(
      (i) => PURE.includes(i.from) && ['queue', 'store', 'smtp', 'delivery', 'notifications'].includes(i.to),
    );
    expect(wrong.map((i) => `${i.file} -> ${i.to}`)).toEqual([]);
  });
});
