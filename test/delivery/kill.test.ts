import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { compiledSources } from '../support/compile.js';
import { startFakeSmtp } from '../support/fake-smtp.js';
import { setting } from './set-up.js';

/** A process that spools mail as fast as it can and says what it has acknowledged. */
const PROGRAM = `
const [sources, folder, hop] = process.argv.slice(1);
const { openDelivery } = await import(sources + '/src/delivery/delivery.js');
const { loadConfig } = await import(sources + '/src/config/load.js');
const { newTraceId } = await import(sources + '/src/message/trace-id.js');
const { silentLog } = await import(sources + '/src/telemetry/log.js');
const { config } = await loadConfig(undefined, folder);
const delivery = await openDelivery({
  config: { ...config, delivery: { ...config.delivery, nextHop: [hop], retry: { delays: [3600000], lifetime: 1e9 } } },
  queue: undefined, log: silentLog(), events: { settled() {} }, reinspect: async () => ({ state: 'done' }),
});
async function client() {
  for (;;) {
    const traceId = newTraceId();
    const bytes = Buffer.from('Subject: ' + traceId + '\\r\\n\\r\\n' + 'x'.repeat(2000) + '\\r\\n');
    await delivery.deliver({
      item: traceId, traceId, content: { size: bytes.length, read: () => [bytes] }, eightBit: false, bounce: 'allowed',
      envelope: { sender: 'a@example.org', recipients: [{ address: 'b@x.test' }], client: '127.0.0.1', helo: 'x', tls: false, trusted: true, smtpUtf8: false, eightBit: false },
    });
    process.stdout.write(traceId + '\\n');
  }
}
await Promise.all(Array.from({ length: 8 }, client));
`;

test('what was acknowledged before a kill -9 is delivered after the next start, each mail once', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-kill-'));
  const gone = await startFakeSmtp();
  await gone.close();
  const sources = await compiledSources();
  const acknowledged: string[] = [];
  for (const kills of [1, 40, 97]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, sources, folder, gone.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const target = acknowledged.length + kills;
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(line);
      if (acknowledged.length === target) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(138);

  const server = await startFakeSmtp({ port: gone.port });
  const after = await setting([server.url], { folder });
  const arrived = (): string[] =>
    server.mails.map(({ bytes }) => /^Subject: (\S+)\r\n\r\nx{2000}\r\n$/.exec(bytes.toString())?.[1] ?? 'damaged');
  try {
    await expect.poll(after.list).toEqual([]);
    expect(acknowledged.filter((id) => !arrived().includes(id))).toEqual([]);
    expect(arrived()).not.toContain('damaged');
    expect(new Set(arrived()).size).toBe(arrived().length);
  } finally {
    await after.close();
    await server.close();
  }
});
