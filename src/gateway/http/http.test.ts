import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { PROGRAM_FOLDER } from '../../config/load.js';
import type { HopState } from '../../delivery/types.js';
import type { EventCondition } from '../../store/types.js';
import { silentLog } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import { operatorPages } from './pages.js';
import { readParts } from './readings.js';
import { IDLE_PARTS, metricsPage } from './reference.js';
import { HttpStartError, serveHttp, type HttpService } from './server.js';

const services: HttpService[] = [];
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
});

async function serve(whyNot?: string): Promise<string> {
  const metrics = new Metrics({ version: '1.2.3', node: 'gw1' });
  readParts(metrics, IDLE_PARTS);
  metrics.read({ name: 'broken', help: 'x', type: 'gauge', read: () => Promise.reject(new Error('secret')) });
  const service = await serveHttp(
    [{ host: '127.0.0.1', port: 0 }],
    operatorPages(metrics, () => whyNot),
    silentLog(),
  );
  services.push(service);
  return `http://127.0.0.1:${service.addresses[0]?.port}`;
}

describe('the pages for machines', () => {
  it('say that the process turns, and whether it would do its work', async () => {
    const ready = await serve();
    expect(await (await fetch(`${ready}/healthz`)).text()).toBe('ok\n');
    expect((await fetch(`${ready}/readyz`)).status).toBe(200);
    const waiting = await serve('the disk is short');
    expect((await fetch(`${waiting}/healthz`)).status).toBe(200);
    const answer = await fetch(`${waiting}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([503, 'not ready: the disk is short\n']);
  });

  it('show the metrics, without a reading that fails', async () => {
    const answer = await fetch(`${await serve()}/metrics?x=1`);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(text).toContain('gatepost_build_info{version="1.2.3",node="gw1"} 1');
    expect(text).toContain('gatepost_spool_items 0');
    expect(text).toContain('process_resident_memory_bytes');
    for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(text).not.toContain('secret');
  });

  it('show a next hop as away while its breaker is open, and while its condition holds though little mail has failed', async () => {
    const hop = (name: string, state: HopState['state']): HopState => ({ name, state, failures: 0 });
    const now = new Date();
    const away = (event: string, subject: string): EventCondition => ({
      ...{ event, subject, node: 'gw1', severity: 'critical', detail: 'x', first: now, last: now },
    });
    const metrics = new Metrics({ version: '1.2.3', node: 'gw1' });
    readParts(metrics, {
      ...IDLE_PARTS,
      events: { active: [away('next-hop-unavailable', 'refusing'), away('detector-unavailable', 'slow')] },
      delivery: {
        spoolState: { items: 0, bytes: 0, freeDisk: 0, maxItems: 0, maxSize: 0, minFreeDisk: 0 },
        hopStates: [hop('well', 'ok'), hop('slow', 'failing'), hop('refusing', 'failing'), hop('open', 'open')],
      },
    });
    const values = [...(await metrics.text()).matchAll(/^gatepost_hop_up\{hop="(\w+)"\} (\d)$/gm)];
    expect(values.map(([, name, value]) => `${name} ${value}`)).toEqual(['well 1', 'slow 1', 'refusing 0', 'open 0']);
  });

  it('know no other page and no other method', async () => {
    const base = await serve();
    expect((await fetch(`${base}/`)).status).toBe(404);
    expect((await fetch(`${base}/metrics/../etc/passwd`)).status).toBe(404);
    const post = await fetch(`${base}/metrics`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(`${base}/healthz`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('answer nothing but an error to what is no HTTP, or has a header without end', async () => {
    const { port } = new URL(await serve());
    const talk = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let got = '';
        const socket = net.connect(Number(port), '127.0.0.1', () => socket.write(text));
        socket.on('data', (chunk) => (got += chunk.toString()));
        socket.on('error', () => resolve(got));
        socket.on('close', () => resolve(got));
      });
    expect(await talk('EHLO x\r\n\r\n')).toContain('400 Bad Request');
    expect(await talk(`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toContain('431');
  });

  it('say what to change when the port is taken', async () => {
    const { port } = new URL(await serve());
    const again = serveHttp([{ host: '127.0.0.1', port: Number(port) }], new Map(), silentLog());
    await expect(again).rejects.toThrow(HttpStartError);
    await expect(again).rejects.toThrow('another program listens there already');
  });
});

it('docs/reference/metrics.md is what the code says (else: npm run reference)', async () => {
  expect(await readFile(path.join(PROGRAM_FOLDER, 'docs', 'reference', 'metrics.md'), 'utf8')).toBe(metricsPage());
});

it.each(['grafana/gatepost.json', 'prometheus/gatepost.rules.yml'])(
  'deploy/%s names metrics that there are',
  async (file) => {
    const metrics = new Metrics({ version: '', node: '' });
    readParts(metrics, IDLE_PARTS);
    const known = new Set(
      metrics.list().flatMap(({ name, type }) => (type === 'histogram' ? [`${name}_bucket`, `${name}_sum`] : [name])),
    );
    const text = await readFile(path.join(PROGRAM_FOLDER, 'deploy', file), 'utf8');
    const named = new Set(text.match(/\bgatepost_[a-z_]+/g));
    expect(named.size).toBeGreaterThan(5);
    expect([...named].filter((name) => !known.has(name))).toEqual([]);
  },
);
