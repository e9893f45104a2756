import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from '../../../test/support/until.js';
import { askControl, controlFolder, openControl, type ControlServer } from './socket.js';

const lineOf = z.object({ level: z.number(), msg: z.string(), reference: z.string().optional() });

let data: string;
let control: ControlServer;
const lines: string[] = [];

beforeEach(async () => {
  lines.length = 0;
  data = await mkdtemp(path.join(os.tmpdir(), 'gatepost-control-'));
  control = await openControl(
    data,
    { failing: () => Promise.reject(new Error('the reason')) },
    pino({ level: 'debug' }, { write: (line) => void lines.push(line) }),
  );
});
afterEach(async () => {
  await control.close();
  await rm(data, { recursive: true, force: true });
});

it('a request that fails is answered with what its line of the log is found by, which is no message', async () => {
  const failure: unknown = await askControl(data, 'failing').catch((error: unknown) => error);
  const [text = ''] = lines;
  const { level, reference = 'none' } = lineOf.parse(JSON.parse(text));
  expect([level, text.includes('"id"')]).toEqual([40, false]);
  expect(String(failure)).toContain(`its log says more (${reference})`);
});

it('a command that hangs up before it has asked is no warning', async () => {
  const place = await readFile(path.join(controlFolder(data), 'place.json'), 'utf8');
  const { socket } = z.object({ socket: z.string() }).parse(JSON.parse(place));
  const client = connect(socket, () => client.end('{"requ'));
  await until('the line of the log', () => Promise.resolve(lines.some((line) => line.includes('hung up'))));
  expect(lines.map((line) => lineOf.parse(JSON.parse(line)).level)).toEqual([20]);
});
