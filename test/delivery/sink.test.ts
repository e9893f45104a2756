import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openHop } from '../../src/delivery/hop.js';
import { freePort } from '../support/free-port.js';

const SINK = ['/usr/sbin/smtp-sink', '/usr/bin/smtp-sink'].find(existsSync);

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

describe.skipIf(SINK === undefined)("Postfix's smtp-sink", () => {
  let folder = '';
  let sink: ChildProcess;
  let port = 0;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-sink-'));
    port = await freePort();
    const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
    sink = spawn(SINK ?? '', [...user, '-d', path.join(folder, '%M.'), `127.0.0.1:${port}`, '100'], {
      stdio: 'ignore',
    });
    await vi.waitFor(async () => expect(await answers(port)).toBe(true), { timeout: 10_000 });
  });
  afterAll(async () => {
    sink.kill();
    await rm(folder, { recursive: true, force: true });
  });

  test('gets the bytes that were given, in parallel and over kept connections', async () => {
    const hop = openHop(`smtp://127.0.0.1:${port}`, { hostname: 'gw.test' });
    const texts = Array.from(
      { length: 60 },
      (_, index) => `Subject: ${index}\r\n\r\n.dot\r\n..\r\n.\r\nend ${'x'.repeat(index * 50)}\r\n`,
    );
    const results = await Promise.all(
      texts.map((text) =>
        hop.send({
          id: 'T',
          sender: 'a@x.test',
          recipients: [{ address: 'b@x.test' }],
          content: { size: text.length, read: () => [Buffer.from(text)] },
          smtpUtf8: false,
          eightBit: false,
        }),
      ),
    );
    expect(results.every(({ recipients }) => recipients[0]?.state === 'delivered')).toBe(true);
    await hop.close();
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(path.join(folder, name), 'utf8')));
    // smtp-sink writes LF, and its own fields on top.
    const bodies = files.map((text) => text.slice(text.indexOf('Subject: ')).trimEnd());
    expect(bodies.sort()).toEqual(texts.map((text) => text.replaceAll('\r\n', '\n').trimEnd()).sort());
  });
});
