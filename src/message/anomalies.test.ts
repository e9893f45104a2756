import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { readStructure } from './structure.js';

const source = [
  'structure.ts',
  ...readdirSync(path.join(import.meta.dirname, 'structure')).map((name) => `structure/${name}`),
]
  .map((name) => readFileSync(path.join(import.meta.dirname, name), 'utf8'))
  .join('\n');
const documented = new Set(
  Array.from(
    readFileSync(path.join(import.meta.dirname, '../../docs/anomalies.md'), 'utf8').matchAll(/`([a-z]+(?:-[a-z]+)+)`/g),
    (hit) => hit[1],
  ),
);

it('documents every anomaly that the code names', () => {
  const named = Array.from(source.matchAll(/log\.add\(([^)]*)/g), (hit) => hit[1] ?? '').flatMap((call) =>
    Array.from(call.matchAll(/'([a-z]+(?:-[a-z]+)+)'/g), (hit) => hit[1] ?? ''),
  );
  expect(named.length).toBeGreaterThan(20);
  for (const name of named) expect(documented).toContain(name);
  for (const field of ['from', 'subject', 'content-type', 'mime-version'])
    expect(documented).toContain(`duplicate-${field}`);
});

it('notes a From field with several addresses, and none with one', () => {
  const several = readStructure(mail('From: a@b, c@d', '', ''), LIMITS);
  expect(several.anomalies).toEqual([{ name: 'multiple-from' }]);
  expect(readStructure(mail('From: "A, B" <a@b>', '', ''), LIMITS).anomalies).toEqual([]);
});
