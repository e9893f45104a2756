import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import path from 'node:path';
import { Writable } from 'node:stream';
import { PROGRAM_FOLDER } from '../config/load.js';
import { createLog } from '../telemetry/log.js';
import type { OwedMails } from './dispatcher.js';
import { NOTICES_AN_HOUR } from './notice-rate.js';
import { Notices } from './notices.js';
import { decodeLine, encodeLine } from './outbox/batch.js';
import { loadTemplates } from './templates/load.js';
import { renderTemplate } from './templates/render.js';
import { NOTICE_CLASSES, type NoticeContext, type OwedNotification } from './types.js';

const node = { name: 'gw1', address: '192.0.2.9', port: 25, comment: 'cellar', timezone: 'UTC' };
const ON = {
  bounce: true,
  'double-bounce': true,
  delay: true,
  policy: true,
  protocol: false,
  resource: true,
  software: true,
};

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2030, 0, 1) }));
afterEach(() => void vi.useRealTimers());

interface Made {
  readonly made: Notices;
  readonly put: OwedNotification[];
  /** Lines of the log. */
  readonly lines: string[];
}

function notices(to: readonly string[] = ['postmaster@example.org'], from = 'Gatepost <gatepost@example.org>'): Made {
  const put: OwedNotification[] = [];
  const lines: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const made = new Notices({
    settings: () => ({
      minSeverity: 'warning',
      notices: { ...ON, to },
      from,
    }),
    node: () => node,
    dispatcher: {
      put: (owed: OwedMails) => {
        put.push(...owed.notify);
        return Promise.resolve();
      },
    },
    log: createLog({ level: 'info', pretty: false }, output),
    clock: { now: () => Date.now() },
  });
  return { made, put, lines };
}

const omitted = (mails: readonly OwedNotification[]): number[] =>
  mails.flatMap((mail) => (mail.kind === 'notice' ? [mail.context.omitted] : []));

test('a class that is off is not told, and costs nothing', async () => {
  const { made, put } = notices();
  expect(made.wants('protocol')).toBe(false);
  await made.tell({ class: 'protocol', errorDescription: 'x' });
  expect(put).toEqual([]);
  expect(notices([]).made.wants('policy')).toBe(false);
});

test('each admin is told once, and it survives the outbox', async () => {
  const { made, put } = notices(['a@example.org', 'b@example.org', 'a@example.org']);
  await made.tell({ class: 'software', errorDescription: 'a thread was lost', transcript: ['C: HELO x'] });
  expect(put.map(({ to }) => to)).toEqual(['a@example.org', 'b@example.org']);
  for (const mail of put) expect(decodeLine(encodeLine(mail).subarray(0, -1))).toEqual(mail);
});

test('nobody is told at the address that mail could not be delivered to, nor at our own', async () => {
  const { made, put } = notices(['Postmaster@example.org', 'gatepost@example.org', 'b@example.org']);
  const reported = [
    { address: 'postmaster@EXAMPLE.org', reason: '', advice: '', status: '5.1.1', server: '', reply: '' },
  ];
  await made.tell({ class: 'double-bounce', errorDescription: 'lost', reported });
  expect(put.map(({ to }) => to)).toEqual(['b@example.org']);
});

test('nor where that address is spelled otherwise', async () => {
  const { made, put } = notices(
    ['a@bücher.example', 'gatepost@xn--bcher-kva.example', 'b@example.org'],
    'gatepost@bücher.example',
  );
  const reported = [
    { address: 'A@xn--bcher-kva.example', reason: '', advice: '', status: '5.1.1', server: '', reply: '' },
  ];
  await made.tell({ class: 'double-bounce', errorDescription: 'lost', reported });
  expect(put.map(({ to }) => to)).toEqual(['b@example.org']);
});

test('a flood is bounded for each class, and what was left out is told as soon as there is room', async () => {
  const { made, put, lines } = notices();
  for (let index = 0; index < NOTICES_AN_HOUR + 1000; index += 1)
    await made.tell({ class: 'policy', errorDescription: `refused ${index}` });
  await made.tell({ class: 'resource', errorDescription: 'disk' });
  expect(put.length).toBe(NOTICES_AN_HOUR + 1);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { class: 'policy', msg: 'too many notices of this class: they are counted' },
  ]);
  await vi.advanceTimersByTimeAsync(3_601_000);
  expect(put.length).toBe(NOTICES_AN_HOUR + 2);
  expect(omitted(put).at(-1)).toBe(999);
  await made.tell({ class: 'policy', errorDescription: 'again' });
  expect(omitted(put).at(-1)).toBe(0);
  made.close();
});

test('every class has a template that shows what there is, and no more than text', async () => {
  const { templates, problems } = await loadTemplates([path.join(PROGRAM_FOLDER, 'templates')], 'en');
  expect(problems).toEqual([]);
  const { made, put } = notices();
  await made.tell({
    class: 'policy',
    errorDescription: 'RCPT was answered: 550 <b>',
    message: { senderIp: '203.0.113.7' },
    transcript: ['C: EHLO <script>alert(1)</script>', 'S: 250 https://evil.example/x'],
  });
  const [mail] = put;
  if (mail?.kind !== 'notice') throw new Error('no notice');
  for (const name of NOTICE_CLASSES) {
    const template = templates.get(`notice-${name}`);
    if (template === undefined) throw new Error(name);
    const context: NoticeContext = { ...mail.context, omitted: 3, subject: 'Hello' };
    const { subject, html = '', text = '' } = renderTemplate(template, context, { mydomain: 'example.org' });
    expect(subject).toMatch(/^\[Gatepost\] /);
    expect(html).not.toMatch(/<script|\{\{|undefined/);
    expect(text).toContain('3 more of this kind');
    if (name !== 'policy' && name !== 'protocol') continue;
    expect(text).toContain('C: EHLO <script>alert(1)</script>');
    expect(text).toContain('hxxps://evil[.]example/x');
    expect(text).toContain('203.0.113.7');
  }
});
