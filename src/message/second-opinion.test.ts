import { describe, expect, it } from 'vitest';
import { LIMITS, mail, mailWith } from '../../test/message/mail.js';
import { EICAR } from '../../test/message/tricks/trick.js';
import { applyEdits, planEdits } from './edit.js';
import { furtherBodies } from './further-bodies.js';
import { readBodies } from './body-text.js';
import { walkObjects } from './objects/walk.js';
import { readMessage } from './read.js';
import { readAgain } from './second-opinion.js';
import { readStructure } from './structure.js';

const never = new AbortController().signal;
const bytes = mailWith([{ name: 'a.bin', content: Buffer.from([1, 2, 3]) }]);
const structure = readStructure(bytes, LIMITS);

describe('attachments of the second reading', () => {
  it('are those of the first one in an ordinary message', async () => {
    const second = await readAgain(bytes, never);
    expect(second).toMatchObject({ attachments: [{ name: 'a.bin' }], text: 'See the files.' });
    expect(walkObjects(bytes, structure, LIMITS, never, second.attachments)).toMatchObject({
      objects: [{ path: 'a.bin' }],
      anomalies: [],
    });
    expect(furtherBodies(second, readBodies(bytes, structure))).toEqual([]);
  });

  it('become objects when their bytes or names are new', () => {
    const others = [
      { name: 'a.bin', mime: 'a/b', bytes: EICAR },
      { name: 'evil.exe', mime: 'a/b', bytes: Buffer.from([1, 2, 3]) },
      { name: '', mime: 'text/plain', bytes: Buffer.from('See the files.\r\n') },
    ];
    const { objects, anomalies } = walkObjects(bytes, structure, LIMITS, never, others);
    expect(objects.map(({ path, part }) => [path, part])).toEqual([
      ['a.bin', 2],
      ['a.bin (2)', 0],
      ['evil.exe', 2],
    ]);
    expect(anomalies).toEqual([{ name: 'second-reading-differs', detail: 'an attachment' }]);
  });

  it('are taken out together with everything when nobody knows where they stand', () => {
    const message = readMessage(bytes, LIMITS);
    const { edits } = planEdits(message, {
      removals: [{ part: 0, objects: ['evil.exe'], reason: 'test' }],
      tags: [],
      headers: { set: {}, add: {}, remove: [] },
    });
    expect(readMessage(applyEdits(bytes, edits), LIMITS).objects).toEqual([]);
  });
});

describe('readAgain', () => {
  it('says that it could not read, and never rejects', async () => {
    const parts = Array<string>(3000).fill('--b\r\n\r\nx');
    const many = mail('From: a@b', 'Content-Type: multipart/mixed; boundary=b', '', ...parts);
    expect((await readAgain(many, never)).failure).toBe('it is not well-formed');
  });

  it('ends when its time is over', async () => {
    expect(await readAgain(bytes, AbortSignal.abort())).toMatchObject({ failure: 'it took too long' });
  });
});

describe('a message whose structure is ambiguous', () => {
  it('is read twice, and what could not be read is an anomaly', async () => {
    const parts = Array<string>(3000).fill('--b\r\n\r\nx');
    const message = readMessage(mail('From: a@b', 'Content-Type: multipart/mixed; boundary=b', '', ...parts), {
      ...LIMITS,
      maxParts: 100,
    });
    await message.secondOpinion(10_000);
    expect(message.anomalies.map(({ name }) => name)).toContain('unparseable');
  });

  it('keeps the text of both readings', async () => {
    const message = readMessage(
      mail(
        'From: a@b',
        'Content-Type: text/plain; charset=utf-8; charset="utf-16',
        'Content-Type: text/html',
        '',
        'Hello',
      ),
      LIMITS,
    );
    await message.secondOpinion(10_000);
    expect((await message.text()).text).toContain('Hello');
  });
});
