import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newTraceId } from '../../src/message/trace-id.js';
import { Outbox } from '../../src/notifications/outbox/outbox.js';
import { LockedError } from '../../src/store/process-lock.js';
import { durableFiles, type DurableFiles } from '../../src/store/files.js';
import { silentLog } from '../../src/telemetry/log.js';
import { compiledSources } from '../support/compile.js';
import { owedNotification } from './support.js';

let folder = '';
let open: Outbox[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatepost-outbox-'));
});
afterEach(async () => {
  for (const outbox of open) await outbox.close();
  open = [];
  await rm(folder, { recursive: true, force: true });
});

async function openOutbox(files?: DurableFiles): Promise<Outbox> {
  const outbox = await Outbox.open({ folder, log: silentLog(), ...(files === undefined ? {} : { files }) });
  open.push(outbox);
  return outbox;
}

async function reopen(outbox: Outbox): Promise<Outbox> {
  await outbox.close();
  open = open.filter((each) => each !== outbox);
  return await openOutbox();
}

async function batches(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
}

const original = { size: 11, read: (): Buffer[] => [Buffer.from('Subject: x\n')] };

describe('the outbox', () => {
  it('holds what was put over a restart, until it is settled', async () => {
    const first = owedNotification();
    const second = owedNotification();
    let outbox = await openOutbox();
    await outbox.put([first, second]);
    outbox = await reopen(outbox);
    expect([...outbox.ids()].sort()).toEqual([first.id, second.id].sort());
    expect(await outbox.read(first.id)).toEqual(first);
    expect(await outbox.read(second.id)).toEqual(second);
    await outbox.settle([first.id]);
    expect(await batches()).toHaveLength(1);
    await outbox.settle([second.id, 'n0000000000']);
    expect(await batches()).toEqual([]);
    expect(outbox.size).toBe(0);
    expect(await outbox.read(second.id)).toBeUndefined();
  });

  it('writes nothing for nothing', async () => {
    await (await openOutbox()).put([]);
    expect(await batches()).toEqual([]);
  });

  it('puts that come during a write share the next one', async () => {
    const counted = { creates: 0 };
    const files = durableFiles();
    const outbox = await openOutbox({
      ...files,
      create: async (...given) => {
        counted.creates++;
        await files.create(...given);
      },
    });
    await Promise.all(Array.from({ length: 100 }, () => outbox.put([owedNotification()])));
    expect(outbox.size).toBe(100);
    expect(counted.creates).toBe(2);
    expect(await batches()).toHaveLength(2);
  });

  it('an ID that is there already is not written again', async () => {
    const owed = owedNotification();
    const outbox = await openOutbox();
    await Promise.all([outbox.put([owed]), outbox.put([owed]), outbox.put([owed])]);
    await outbox.put([owed]);
    expect(outbox.size).toBe(1);
    const lines = await Promise.all((await batches()).map((name) => readFile(path.join(folder, name), 'utf8')));
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
  });

  it('rejects when it cannot write, owes nothing then, and works again later', async () => {
    const state = { broken: true };
    const files = durableFiles();
    const outbox = await openOutbox({
      ...files,
      create: (...given) => (state.broken ? Promise.reject(new Error('ENOSPC')) : files.create(...given)),
    });
    const owed = owedNotification({ attach: 'original' });
    await expect(outbox.put([owed], original)).rejects.toThrow('ENOSPC');
    expect(outbox.size).toBe(0);
    expect(await outbox.original(owed.traceId)).toBeUndefined();
    state.broken = false;
    await outbox.put([owed], original);
    expect(outbox.has(owed.id)).toBe(true);
  });

  it('keeps the original beside until the last mail that needs it is settled', async () => {
    const traceId = newTraceId();
    const one = owedNotification({ traceId, id: 'n00000001', attach: 'original' });
    const two = owedNotification({ traceId, id: 'n00000002', attach: 'original' });
    let outbox = await openOutbox();
    await outbox.put([one, two, owedNotification({ traceId, id: 'n00000003' })], original);
    outbox = await reopen(outbox);
    await outbox.settle([one.id]);
    const kept = await outbox.original(traceId);
    expect(kept?.size).toBe(11);
    await outbox.settle([two.id]);
    expect(await outbox.original(traceId)).toBeUndefined();
  });
});

it('keeps all that a mail shows over a restart', async () => {
  const one = owedNotification();
  const owed = {
    ...one,
    originalHeader: 'Subject: x\r\n',
    context: {
      ...one.context,
      objectsOmitted: 3,
      outcomes: [
        { action: 'reject', recipients: ['bob@example.org'] },
        { action: 'deliver', recipients: ['carol@example.org'] },
      ],
    },
  };
  const outbox = await openOutbox();
  await outbox.put([owed]);
  expect(await (await reopen(outbox)).read(owed.id)).toEqual(owed);
});

describe('damage is set aside and never fatal', () => {
  it('a line in the middle: the others are kept', async () => {
    const good = owedNotification();
    const outbox = await openOutbox();
    await outbox.put([good]);
    const [name = ''] = await batches();
    await appendFile(path.join(folder, name), '{"id":"n0000000000","kind":"rule"}\n\0\0\0 garbage\n');
    const again = await reopen(outbox);
    expect(await again.read(good.id)).toEqual(good);
    expect(await readdir(path.join(folder, 'corrupt'))).toEqual([name]);
    expect((await reopen(again)).ids()).toEqual([good.id]);
  });

  it('a file that is cut, empty, or nonsense', async () => {
    const outbox = await openOutbox();
    await outbox.put([owedNotification()]);
    const [name = ''] = await batches();
    await truncate(path.join(folder, name), 100);
    await writeFile(path.join(folder, '00.jsonl'), '');
    await writeFile(path.join(folder, '01.jsonl'), Buffer.alloc(5000, 0xff));
    await writeFile(path.join(folder, 'half.tmp'), 'x');
    const again = await reopen(outbox);
    expect(again.size).toBe(0);
    expect((await readdir(path.join(folder, 'corrupt'))).sort()).toEqual(['00.jsonl', '01.jsonl', name].sort());
    expect(await batches()).toEqual([]);
    await again.put([owedNotification()]);
    expect(again.size).toBe(1);
  });
});

describe('one owner', () => {
  it('a second one is refused, and may come when the first has gone', async () => {
    const outbox = await openOutbox();
    await expect(openOutbox()).rejects.toThrow(LockedError);
    expect((await reopen(outbox)).size).toBe(0);
  });
});

describe('kill -9', () => {
  const CHILD = `
    const { Outbox } = await import(process.argv[1] + '/src/notifications/outbox/outbox.js');
    const { silentLog } = await import(process.argv[1] + '/src/telemetry/log.js');
    const outbox = await Outbox.open({ folder: process.argv[2], log: silentLog() });
    const sample = JSON.parse(process.argv[3]);
    let n = 0;
    const worker = async () => {
      for (;;) {
        const id = 'n' + (n++).toString(16).padStart(12, '0');
        await outbox.put([{ ...sample, id }]);
        process.stdout.write(id + '\\n');
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  `;

  it('everything that was acknowledged is there', async () => {
    const sources = await compiledSources();
    for (const enough of [1, 40, 333]) {
      const sample = JSON.stringify(owedNotification());
      const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, sources, folder, sample]);
      const ended = once(child, 'exit');
      const acknowledged = new Set<string>();
      for await (const id of createInterface(child.stdout)) {
        acknowledged.add(id);
        if (acknowledged.size === enough) child.kill('SIGKILL');
      }
      await ended;
      expect(acknowledged.size).toBeGreaterThanOrEqual(enough);
      const outbox = await openOutbox();
      expect([...acknowledged].filter((id) => !outbox.has(id))).toEqual([]);
      expect(await readdir(path.join(folder, 'corrupt'))).toEqual([]);
      await outbox.settle(outbox.ids());
      await outbox.close();
      open = [];
    }
  });
});
