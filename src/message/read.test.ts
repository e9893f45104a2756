import { describe, expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { applyEdits, planEdits } from './edit.js';
import { readMessage } from './read.js';

describe('readMessage', () => {
  const bytes = mail(
    'From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>, "B, C" <b@example.org>',
    'To: a@example.org',
    'Subject: =?utf-8?B?SMOkbGxv?=',
    ' =?utf-8?Q?_W=C3=B6rld?=',
    'Message-ID: <1@x>',
    'Content-Type: multipart/mixed; boundary="b1"',
    '',
    'preamble',
    '--b1',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Hello',
    '--b1',
    'Content-Type: application/octet-stream; name="x.bin"',
    "Content-Disposition: attachment; filename*=utf-8''%C3%A4.txt",
    'Content-Transfer-Encoding: base64',
    '',
    'aGVsbG8=',
    '--b1--',
    '',
  );
  const message = readMessage(bytes, LIMITS);

  it('decodes the header', () => {
    expect(message.subject).toBe('Hällo Wörld');
    expect(message.messageId).toBe('1@x');
    expect(message.addresses('from')).toEqual([
      { address: 'j@example.org', name: 'Jürgen' },
      { address: 'b@example.org', name: 'B, C' },
    ]);
  });

  it('finds text and attachments', async () => {
    expect((await message.text()).text).toBe('Hello');
    expect(message.objects.map(({ path, size, type, part }) => ({ path, size, type, part }))).toEqual([
      { path: 'ä.txt', size: 5, type: 'text', part: 2 },
    ]);
    expect(message.objects[0]?.content()?.toString()).toBe('hello');
    expect(message.problems).toEqual([]);
  });

  it('reads the header alone', async () => {
    const header = readMessage(bytes, LIMITS, { depth: 'header' });
    expect(header.subject).toBe('Hällo Wörld');
    expect(header.objects).toEqual([]);
    expect(header.structure.parts).toHaveLength(1);
    expect(await header.text()).toEqual({ text: '', html: [] });
  });

  it('removes an attachment and tags the subject', () => {
    const { edits, notes } = planEdits(message, {
      removals: [{ part: 2, objects: ['ä.txt'], reason: 'test' }],
      tags: ['[Täg]'],
      headers: { set: {}, add: { 'X-A': 'b\r\nX-Evil: 1' }, remove: ['to'] },
    });
    const after = readMessage(applyEdits(bytes, edits), LIMITS);
    expect(after.subject).toBe('[Täg] Hällo Wörld');
    expect(after.header('x-evil')).toEqual([]);
    expect(after.header('x-a')).toEqual(['b X-Evil: 1']);
    expect(after.header('to')).toEqual([]);
    expect(after.objects).toEqual([]);
    expect(notes).toContain('removed ä.txt');
  });
});
