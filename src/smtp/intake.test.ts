import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSource } from '../message/source.js';
import { writtenBy } from './header-scan.js';
import { Intake, type IntakeSettings } from './intake.js';
import { MemoryBudget } from './memory-budget.js';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-intake-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function settings(over: Partial<IntakeSettings> = {}): IntakeSettings {
  return {
    lineEndings: 'normalize',
    maxMessageSize: 50 * 2 ** 20,
    maxReceived: 50,
    writtenHere: writtenBy('mx.example.org'),
    spoolFolder: folder,
    budget: new MemoryBudget(2 ** 30),
    ...over,
  };
}

async function feed(intake: Intake, chunks: readonly (string | Buffer)[]): Promise<void> {
  for (const chunk of chunks) {
    intake.write(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
    await intake.pressure;
  }
}

/** The canonical text, or the refusal as `code enhanced`. */
async function outcome(chunks: readonly (string | Buffer)[], over: Partial<IntakeSettings> = {}) {
  const intake = new Intake(settings(over), 'message');
  await feed(intake, [...chunks, '\r\n.\r\n']);
  const result = await intake.finish();
  try {
    if (result.kind === 'refused') return { refused: `${result.reply.code} ${result.reply.enhanced}` };
    return { text: (await readSource(result.source)).toString('latin1'), ...result.report, at: result.source.kind };
  } finally {
    await intake.release();
  }
}

describe('the header block', () => {
  const message =
    'X-Gatepost-ID: forged\r\n folded\r\nReceived: from a by b; now\r\nx-gatepost-notification:\r\n 01ABC\r\n' +
    'RECEIVED : old\r\nX-GATEPOST-Rule\r\nSubject: x-gatepost-id: no\r\nX-Gateposts: other\r\n\r\nX-Gatepost-ID: body';
  const kept =
    'Received: from a by b; now\r\nRECEIVED : old\r\nSubject: x-gatepost-id: no\r\nX-Gateposts: other\r\n\r\nX-Gatepost-ID: body\r\n';

  it('loses the fields that only we may write, for every split in two pieces', async () => {
    for (let at = 0; at <= message.length; at += 1) {
      expect(await outcome([message.slice(0, at), message.slice(at)])).toEqual({
        text: kept,
        anomalies: [],
        received: 2,
        ownMark: '01ABC',
        passes: 1,
        at: 'memory',
      });
    }
  });

  it('is seen through bare line ends that only normalizing makes fields of', async () => {
    expect(await outcome(['Subject: x\nX-Gatepost-ID: forged\rX-Gate\0post-Rule: forged\n\nbody'])).toMatchObject({
      text: 'Subject: x\r\n\r\nbody\r\n',
      anomalies: ['bare-cr', 'bare-lf', 'nul'],
    });
  });

  it('may be empty, or the whole message', async () => {
    expect(await outcome(['\r\nX-Gatepost-ID: body'])).toMatchObject({ text: '\r\nX-Gatepost-ID: body\r\n' });
    expect(await outcome(['Subject: x\r\nX-Gatepost-ID: forged'])).toMatchObject({ text: 'Subject: x\r\n' });
  });

  it('with too many Received fields, or too many of our own, is a loop', async () => {
    const hop = 'Received: from x by other.example with ESMTP; now\r\n';
    const ours = 'Received: from x (y)\r\n\tby MX.example.org with ESMTP\r\n\tid 1; now\r\n';
    expect(await outcome([hop.repeat(50), '\r\n'])).toMatchObject({ received: 50 });
    expect(await outcome([hop.repeat(51), '\r\n'])).toEqual({ refused: '554 5.4.6' });
    expect(await outcome([ours.repeat(10), '\r\n'])).toMatchObject({ received: 10 });
    expect(await outcome([ours.repeat(11), '\r\n'])).toEqual({ refused: '554 5.4.6' });
  });

  it('with our own marks too often is a loop, also where Received fields are stripped', async () => {
    const id = 'X-Gatepost-ID: 01J8\r\n';
    expect(await outcome(['Subject: x\r\n\r\n'])).not.toHaveProperty('passes');
    expect(await outcome([id, '\r\n'])).toMatchObject({ passes: 1, text: '\r\n\r\n' });
    expect(await outcome([id, 'X-Gatepost-Passes: 10\r\n', '\r\n'])).toMatchObject({ passes: 10 });
    expect(await outcome([id, 'X-Gatepost-Passes:\t11 \r\n', '\r\n'])).toEqual({ refused: '554 5.4.6' });
    expect(await outcome([id, 'X-Gatepost-Passes: 1e9\r\n', '\r\n'])).toMatchObject({ passes: 1 });
  });

  it('is bounded', async () => {
    const line = `X-Long: ${'x'.repeat(990)}\r\n`;
    expect(await outcome([line.repeat(1040), '\r\nbody'])).toMatchObject({ at: 'file' });
    expect(await outcome([line.repeat(1060), '\r\nbody'])).toEqual({ refused: '552 5.3.4' });
    expect(await outcome([`X: ${'x'.repeat(2 ** 20)}`])).toEqual({ refused: '552 5.3.4' });
    const single = Array.from({ length: 5000 }, () => 'x');
    expect(await outcome(['X: ', ...single, '\r\n\r\nbody'])).toMatchObject({ received: 0 });
  });
});

describe('a header block that is open while all messages together hold too much', () => {
  const line = `X-Long: ${'x'.repeat(990)}\r\n`;

  it('is refused for now when it is long, and gives its bytes back', async () => {
    const budget = new MemoryBudget(2 ** 20);
    const intakes = Array.from({ length: 40 }, (_, i) => new Intake(settings({ budget }), `header${i}`));
    for (let i = 0; i < 1000; i += 1) {
      for (const intake of intakes) intake.write(Buffer.from(line));
      expect(budget.used).toBeLessThanOrEqual(2 ** 20 + intakes.length * (64 * 1024 + line.length));
    }
    expect(budget.used).toBeLessThanOrEqual(2 ** 20);
    const replies: string[] = [];
    for (const intake of intakes) {
      intake.write(Buffer.from('\r\nbody\r\n.\r\n'));
      const result = await intake.finish();
      replies.push(result.kind === 'refused' ? `${result.reply.code} ${result.reply.enhanced}` : result.kind);
      await intake.release();
    }
    expect(new Set(replies)).toEqual(new Set(['452 4.3.1', 'message']));
    expect(budget.used).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it('is taken up to 64 KiB, and beyond when it comes to an end at once', async () => {
    const budget = new MemoryBudget(0);
    expect(await outcome([line.repeat(60), 'Subject: x\r\n\r\nbody'], { budget })).toMatchObject({ at: 'file' });
    expect(await outcome([`${line.repeat(100)}\r\nbody`], { budget })).toMatchObject({ at: 'file' });
    expect(await outcome([line.repeat(70), 'Subject: x\r\n\r\nbody'], { budget })).toEqual({ refused: '452 4.3.1' });
    expect(budget.used).toBe(0);
  });
});

describe('one client that holds messages open', () => {
  const line = Buffer.from(`X-Long: ${'x'.repeat(990)}\r\n`);

  it('leaves half of the memory to others, and has its own go to files or put off', async () => {
    const budget = new MemoryBudget(2 ** 20);
    const over = { budget };
    const open = Array.from({ length: 20 }, (_, i) => new Intake(settings(over), `open${i}`, 'one'));
    for (let i = 0; i < 150; i += 1) for (const intake of open) intake.write(line);
    expect(budget.used).toBeLessThanOrEqual(2 ** 19 + line.length);
    const own = new Intake(settings(over), 'own', 'one');
    const other = new Intake(settings(over), 'other', 'two');
    const trusted = new Intake(settings(over), 'trusted');
    const kinds: string[] = [];
    for (const intake of [own, other, trusted]) {
      await feed(intake, ['\r\n', ...Array.from({ length: 200 }, () => line), '.\r\n']);
      const result = await intake.finish();
      kinds.push(result.kind === 'message' ? result.source.kind : result.kind);
    }
    expect(kinds).toEqual(['file', 'memory', 'memory']);
    for (const intake of [...open, own, other, trusted]) await intake.release();
    expect(budget.used).toBe(0);
    expect(budget.isShort('one')).toBe(false);
  });
});

describe('the body', () => {
  const line = Buffer.from(`${'y'.repeat(1022)}\r\n`);
  const header = Buffer.from('Subject: large\r\nX-Gatepost-ID: forged\r\n\r\n');

  it('goes to a file when the message is larger than 512 KiB, and the file goes when it is released', async () => {
    const intake = new Intake(settings(), 'large');
    await feed(intake, [header, ...Array.from({ length: 3000 }, () => line), '.\r\n']);
    const result = await intake.finish();
    expect(result).toMatchObject({ kind: 'message', source: { kind: 'file', size: 20 - 2 + 3000 * 1024 } });
    if (result.kind !== 'message' || result.source.kind !== 'file') throw new Error('no file');
    const written = await readFile(result.source.path);
    expect(written.length).toBe(result.source.size);
    expect(written.subarray(0, 20).toString()).toBe('Subject: large\r\n\r\nyy');
    expect(await readdir(folder)).toEqual(['large.upload']);
    await intake.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('that is never complete leaves nothing behind', async () => {
    const { budget } = settings();
    const intake = new Intake(settings({ budget }), 'partial');
    await feed(intake, [header, ...Array.from({ length: 1000 }, () => line)]);
    await intake.release();
    const small = new Intake(settings({ budget }), 'small');
    await feed(small, [header]);
    expect(budget.used).toBe(header.length);
    await small.release();
    await small.release();
    expect(budget.used).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to a file when all messages together hold too much', async () => {
    const budget = new MemoryBudget(100_000);
    const first = new Intake(settings({ budget }), 'first');
    await feed(first, [header, ...Array.from({ length: 90 }, () => line)]);
    expect(await outcome([header, ...Array.from({ length: 20 }, () => line)], { budget })).toMatchObject({
      at: 'file',
    });
    expect(await outcome([header], { budget })).toMatchObject({ at: 'memory' });
    await first.release();
    expect(budget.used).toBe(0);
  });

  it('over the limit is refused and not kept', async () => {
    const budget = new MemoryBudget(2 ** 30);
    const over = { maxMessageSize: 700_000, budget };
    expect(await outcome([header, Buffer.alloc(699_998 - header.length, 'x')], over)).toMatchObject({ at: 'file' });
    expect(await outcome([header, Buffer.alloc(699_999 - header.length, 'x')], over)).toEqual({ refused: '552 5.3.4' });
    const intake = new Intake(settings(over), 'over');
    await feed(intake, [header, Buffer.alloc(800_000, 'x')]);
    expect(budget.used).toBe(0);
    expect(await intake.finish()).toMatchObject({ kind: 'refused' });
    await intake.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('that cannot be written is temporary', async () => {
    const over = { spoolFolder: path.join(folder, 'missing') };
    expect(await outcome([header, ...Array.from({ length: 1000 }, () => line)], over)).toEqual({
      refused: '452 4.3.1',
    });
  });
});

describe('line endings under reject', () => {
  it.each([
    ['a\nb', 'refused'],
    ['a\rb', 'refused'],
    ['a\0b', 'refused'],
    ['a\r\nb', 'text'],
  ])('%j is %s', async (body, what) => {
    const result = await outcome([`Subject: x\r\n\r\n${body}`], { lineEndings: 'reject' });
    expect(result).toHaveProperty(what);
    if (what === 'refused') expect(result).toEqual({ refused: '550 5.6.0' });
  });
});
