import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { decodeTime } from 'ulid';
import { z } from 'zod';
import { Tracing, traceIdOf } from './tracing.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  status: z.object({ code: z.number() }),
});
const request = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(span) })) })),
});

it('the ID of a trace is the ULID in hexadecimal digits', () => {
  expect(traceIdOf('00000000000000000000000001')).toBe('00000000000000000000000000000001');
  expect(traceIdOf('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')).toBe('f'.repeat(32));
  // The first 48 bits are the time.
  const ulid = '01KAJ5Q7T0ABCDEFGHJKMNPQRS';
  expect(parseInt(traceIdOf(ulid).slice(0, 12), 16)).toBe(decodeTime(ulid));
});

it('a message and its steps reach a collector as one trace', async () => {
  const bodies: string[] = [];
  server = createServer((incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      bodies.push(body);
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
    });
  });
  const listening = server;
  const port = await new Promise<number>((resolve) =>
    listening.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = listening.address();
      resolve(typeof address === 'string' ? 0 : (address?.port ?? 0));
    }),
  );
  const tracing = new Tracing({ url: `http://127.0.0.1:${port}/v1/traces`, version: '1', node: 'gw1' });
  const traceId = '01KAJ5Q7T0ABCDEFGHJKMNPQRS';
  const start = 1_763_654_737_000;
  tracing.record({
    traceId,
    name: 'message',
    start,
    end: start + 30,
    steps: [
      { name: 'inspect', start, end: start + 20 },
      { name: 'detect x', start: start + 5, end: start + 10.5, failed: true },
    ],
  });
  await tracing.close();
  const spans = bodies.flatMap((body) =>
    request.parse(JSON.parse(body)).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((one) => one.spans)),
  );
  const root = spans.find(({ name }) => name === 'message');
  expect(spans.map(({ name }) => name).sort()).toEqual(['detect x', 'inspect', 'message']);
  expect(new Set(spans.map((one) => one.traceId))).toEqual(new Set([traceIdOf(traceId)]));
  expect(spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId)).toHaveLength(2);
  expect(root?.startTimeUnixNano).toBe(`${start}000000`);
  expect(spans.find(({ name }) => name === 'detect x')).toMatchObject({
    endTimeUnixNano: `${start + 10}500000`,
    status: { code: 2 },
  });
});

it('a collector that is not there costs nothing but the traces', async () => {
  const tracing = new Tracing({ url: 'http://127.0.0.1:1/v1/traces', version: '1', node: 'gw1' });
  tracing.record({ traceId: '01KAJ5Q7T0ABCDEFGHJKMNPQRS', name: 'message', start: 1, end: 2, steps: [] });
  await tracing.close();
});
