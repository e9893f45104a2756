import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../smtp/harness.js';
import { makeSite, startGatewayProcess, type RunningGateway } from '../support/gateway.js';
import { has } from '../support/programs.js';
import { startDrain } from './drain.js';

const SMALL = 'Subject: x\r\n\r\nx';
/** More than a message may take in memory. */
const LARGE = `Subject: x\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(10_000)}x`;
const SPARE = 20;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function descriptorsOf({ process: { pid } }: RunningGateway): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

/** A client that only connects, with what it was told. */
function knock(port: number): { text: string; closed: boolean } {
  const state = { text: '', closed: false };
  const socket = net.connect(port, '127.0.0.1');
  closing.push(() => socket.destroy());
  socket.on('data', (chunk) => (state.text += chunk.toString()));
  socket.on('error', () => (state.closed = true));
  socket.on('close', () => (state.closed = true));
  return state;
}

describe.skipIf(!has('prlimit'))('a gateway that has no file descriptors left', () => {
  it('refuses for a while and serves again when there are some', async () => {
    const drain = await startDrain();
    closing.push(() => drain.close());
    const site = await makeSite(
      `smtp: { listen: ["127.0.0.1:0"], maxConnectionsPerClient: 1000 }\nhttp: { listen: off }\ndelivery: { nextHop: "${drain.url}" }\n`,
    );
    closing.push(() => site.remove());
    const gateway = await startGatewayProcess(site);
    closing.push(() => gateway.stop());
    const client = await Client.connect(gateway.port);
    await client.hello();
    const few = (await descriptorsOf(gateway)) + SPARE;
    execFileSync('prlimit', ['--pid', String(gateway.process.pid), `--nofile=${few}:`]);

    const crowd = closing.length;
    const clients = Array.from({ length: SPARE * 3 }, () => knock(gateway.port));
    await expect
      .poll(() => clients.every(({ text, closed }) => closed || text.startsWith('220')), { timeout: 20_000 })
      .toBe(true);
    expect(clients.filter(({ closed }) => closed).length).toBeGreaterThan(SPARE);
    expect(await client.send(SMALL)).toMatch(/^45[12] /);
    expect(await client.send(LARGE)).toMatch(/^45[12] /);
    expect(drain.taken()).toBe(0);

    for (const leave of closing.splice(crowd)) leave();
    await expect.poll(async () => (await descriptorsOf(gateway)) < few - SPARE / 2, { timeout: 20_000 }).toBe(true);
    const other = await Client.connect(gateway.port);
    await other.hello();
    for (const mail of [SMALL, LARGE])
      await expect.poll(() => other.send(mail), { timeout: 20_000 }).toMatch(/^250 2\.0\.0 /);
    expect(await client.send(SMALL)).toMatch(/^250 2\.0\.0 /);
    await expect.poll(() => drain.taken(), { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
    expect(gateway.process.exitCode).toBeNull();
  });
});
