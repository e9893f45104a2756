import { fork, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Client } from '../smtp/harness.js';
import { makeSite, startGatewayProcess, type RunningGateway } from '../support/gateway.js';
import { startDrain } from './drain.js';
import { tortureSettings } from './settings.js';

const { long } = tortureSettings(0);
const MIB = 2 ** 20;
const TIMEOUT = long ? 3_600_000 : 60_000;

const uploads = z.object({ taken: z.number(), others: z.array(z.string()) });
const crowd = z.object({ served: z.number(), refused: z.number(), lost: z.number() });

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(smtp: string): Promise<RunningGateway> {
  const drain = await startDrain();
  closing.push(() => drain.close());
  const site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"], ${smtp} }\nhttp: { listen: off }\ndelivery: { nextHop: "${drain.url}" }\n`,
  );
  closing.push(() => site.remove());
  const gateway = await startGatewayProcess(site);
  closing.push(() => gateway.stop());
  return gateway;
}

/** Starts the clients in a process of their own. @returns what they report at the end of the job */
async function run<T>(job: object, shape: z.ZodType<T>, onUploaded?: () => void): Promise<T> {
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'crowd.mjs'), { execArgv: [] });
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code) => reject(new Error(`the clients ended with ${code}`)));
  });
  ended.catch(() => undefined);
  closing.push(async () => {
    child.kill('SIGKILL');
    await ended.catch(() => undefined);
  });
  const result = new Promise<T>((resolve) => {
    child.on('message', (message) => {
      if (z.object({ uploaded: z.literal(true) }).safeParse(message).success) onUploaded?.();
      const parsed = z.object({ result: shape }).safeParse(message);
      if (parsed.success) resolve(parsed.data.result);
    });
  });
  child.send(job);
  return await Promise.race([result, ended]);
}

/** Resident memory of a process in bytes: now, and the most that there ever was. */
async function memoryOf({ process: { pid } }: RunningGateway): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  return { now: field('VmRSS'), most: field('VmHWM') };
}

function report(text: string): void {
  process.stdout.write(`memory: ${text}\n`);
}

const inMiB = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

/** What a client is told that comes afterwards. */
async function visit({ port }: RunningGateway): Promise<string> {
  return await (await Client.connect(port)).reply();
}

describe.skipIf(process.platform !== 'linux')('resident memory of the gateway', () => {
  it('while many sessions upload large messages little by little', { timeout: TIMEOUT }, async () => {
    const job = long
      ? { count: 500, bytes: 20 * MIB, piece: 64 * 1024, pause: 20 }
      : { count: 40, bytes: 3 * MIB, piece: 64 * 1024, pause: 2 };
    const gateway = await start(`maxConnectionsPerClient: ${job.count}`);
    const before = await memoryOf(gateway);
    let uploading = memoryOf(gateway);
    const { taken, others } = await run({ kind: 'upload', port: gateway.port, ...job }, uploads, () => {
      uploading = memoryOf(gateway);
    });
    const { most } = await memoryOf(gateway);
    report(
      `${job.count} uploads of ${inMiB(job.bytes)}: ${inMiB(before.now)} before, ` +
        `${inMiB((await uploading).most)} at most before the first was complete, ${inMiB(most)} until all were delivered`,
    );
    expect({ taken, others }).toEqual({ taken: job.count, others: [] });
    expect((await uploading).most).toBeLessThan(long ? 600 * MIB : before.now + 250 * MIB);
    // All but one of the threads may hold one of them whole.
    expect(most).toBeLessThan(long ? 600 * MIB : before.now + 250 * MIB);
  });

  it('with many connections that say nothing', { timeout: TIMEOUT }, async () => {
    const count = long ? 10_000 : 500;
    const gateway = await start(`maxConnections: ${count}, maxConnectionsPerClient: ${count}`);
    const before = await memoryOf(gateway);
    const result = await run({ kind: 'idle', port: gateway.port, count }, crowd);
    const { now, most } = await memoryOf(gateway);
    report(`${count} idle: ${inMiB(before.now)} before, ${inMiB(now)} with them, ${inMiB(most)} at most`);
    expect(result).toEqual({ served: count, refused: 0, lost: 0 });
    expect(most).toBeLessThan(long ? 400 * MIB : before.now + 60 * MIB);
    expect(await visit(gateway)).toMatch(/^421 4\.7\.0 Too many connections$/);
  });

  it('with more connections than are let in', { timeout: TIMEOUT }, async () => {
    const count = long ? 10_000 : 500;
    const gateway = await start(long ? '' : 'maxConnectionsPerClient: 20');
    const limit = long ? 50 : 20;
    const before = await memoryOf(gateway);
    const result = await run({ kind: 'idle', port: gateway.port, count }, crowd);
    const { now, most } = await memoryOf(gateway);
    report(`${count} knocked: ${inMiB(before.now)} before, ${inMiB(now)} after them, ${inMiB(most)} at most`);
    expect(result).toEqual({ served: limit, refused: count - limit, lost: 0 });
    expect(most).toBeLessThan(long ? 400 * MIB : before.now + 60 * MIB);
    expect(await visit(gateway)).toMatch(/^421 4\.7\.0 Too many connections from your address$/);
  });
});
