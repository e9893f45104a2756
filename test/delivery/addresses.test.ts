import dns from 'node:dns';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { Connection } from '../../src/delivery/client/connection.js';

/** A server that takes no connection beyond its backlog until the gate opens. */
const BUSY = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer((socket) => socket.on('error', () => {}).write('220 at last\\r\\n'));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(workerData, 0, 0));
  });
`;

/** What `lookup` calls with what it has found. */
function isAnswer(value: unknown): value is (error: null, found: readonly object[]) => void {
  return typeof value === 'function';
}

test('an address that answers late is waited for, also where the next one is dead', async ({ onTestFinished }) => {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const open = (): void => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
  const worker = new Worker(BUSY, { eval: true, workerData: gate });
  const others: Socket[] = [];
  onTestFinished(async () => {
    vi.restoreAllMocks();
    for (const socket of others) socket.destroy();
    open();
    await worker.terminate();
  });
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  for (let count = 0; count < 4; count += 1)
    others.push(connect({ port, host: '127.0.0.1' }).on('error', () => undefined));
  await Promise.all(others.slice(0, 2).map((socket) => once(socket, 'connect')));
  vi.spyOn(dns, 'lookup').mockImplementation((...given: readonly unknown[]) => {
    const told = given.at(-1);
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    if (isAnswer(told)) told(null, addresses);
    return {};
  });
  // The kernel drops what comes beyond the backlog, and the client's one asks again after a second.
  setTimeout(open, 600);
  const connection = await Connection.open('two.test', port, 20_000);
  expect((await connection.reply(5000)).lines).toEqual(['at last']);
  connection.destroy();
});
