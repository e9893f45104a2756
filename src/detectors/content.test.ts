import { describe, expect, it } from 'vitest';
import type { Message, MessageObject } from '../message/types.js';
import { content } from './content.js';
import type { DetectorInput, Finding } from './types.js';

function object(path: string, given: Partial<MessageObject> = {}): MessageObject {
  const depth = path.split('/').length - 1;
  const base: MessageObject = {
    path,
    name: path,
    extension: '',
    mime: '',
    type: 'archive',
    format: 'zip',
    size: 10,
    depth,
    encrypted: false,
    macro: false,
    part: 1,
    content: () => undefined,
  };
  return { ...base, ...given };
}

async function find(...objects: readonly MessageObject[]): Promise<readonly Finding[]> {
  const detector = await content.create({}, { baseDirectory: '.' });
  const message = { objects } as Partial<Message> as Message;
  return await detector.inspect({ message } as Partial<DetectorInput> as DetectorInput);
}

describe('content', () => {
  it('reports what needs a password and what carries a macro', async () => {
    expect(
      await find(object('a.zip', { encrypted: true }), object('b.docm', { macro: true }), object('c.txt')),
    ).toEqual([
      {
        module: 'content',
        status: 'encrypted',
        object: 'a.zip',
        size: 10,
        detail: 'cannot be opened without a password',
      },
      { module: 'content', status: 'macro', object: 'b.docm', size: 10, detail: 'carries a macro' },
    ]);
  });

  it('reports an encrypted archive once, and an encrypted entry of an open one by itself', async () => {
    const findings = await find(
      object('a.zip', { encrypted: true }),
      object('a.zip/x.exe', { encrypted: true }),
      object('a.zip/in.zip/y.exe', { encrypted: true }),
      object('b.zip'),
      object('b.zip/z.pdf', { encrypted: true }),
      object('a.zip.txt', { encrypted: true }),
    );
    expect(findings.map((finding) => finding.object)).toEqual(['a.zip', 'b.zip/z.pdf', 'a.zip.txt']);
  });

  it('reports a macro in an encrypted document beside its encryption', async () => {
    const findings = await find(object('a.xlsm', { encrypted: true, macro: true }));
    expect(findings.map((finding) => finding.status)).toEqual(['encrypted', 'macro']);
  });
});
