import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { newTraceId } from '../message/trace-id.js';
import { openCopyMark } from './copy-mark.js';

const valueOf = (field: string): string => field.replace(/^X-Loop: /, '').trim();

it('knows its own marks after a restart, and no others', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-mark-'));
  try {
    const value = valueOf((await openCopyMark(folder)).field(newTraceId()));
    const again = await openCopyMark(folder);
    expect(again.isOurs(['other', value])).toBe(true);
    const [name = '', , mac = ''] = value.split(' ');
    expect(again.isOurs([`${name} ${newTraceId()} ${mac}`, `${name} x`, `${name} x ${'\u00e9'.repeat(22)}`, ''])).toBe(
      false,
    );
    expect((await stat(path.join(folder, 'copy.key'))).mode & 0o077).toBe(0);
    await writeFile(path.join(folder, 'copy.key'), 'damaged');
    expect((await openCopyMark(folder)).isOurs([value])).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
