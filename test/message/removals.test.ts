import { describe, expect, it } from 'vitest';
import { applyEdits, planEdits } from '../../src/message/edit.js';
import { readMessage } from '../../src/message/read.js';
import type { Message } from '../../src/message/types.js';
import { LIMITS, mail, mailWith } from './mail.js';

/** Takes out what holds the object of that path, as the rules have it done. */
function remove(bytes: Buffer, ...paths: string[]): { after: Buffer; message: Message; notes: readonly string[] } {
  const message = readMessage(bytes, LIMITS);
  const removals = paths.map((path) => {
    const found = message.objects.find((object) => object.path === path);
    if (found === undefined) throw new Error(`there is no ${path}: ${message.objects.map((one) => one.path).join()}`);
    return { part: found.part, objects: [path], reason: 'Programs' };
  });
  const { edits, notes } = planEdits(message, { removals, tags: [], headers: { set: {}, add: {}, remove: [] } });
  const after = applyEdits(bytes, edits);
  return { after, message: readMessage(after, LIMITS), notes };
}

describe('delete-attachment', () => {
  it('names an attached mail that has no file name by its subject, not by what was found in it', () => {
    const inner = mailWith([{ name: 'a.exe', content: Buffer.from('MZ') }]);
    const head = mail('MIME-Version: 1.0', 'Content-Type: message/rfc822', '', 'Subject: inner', '');
    const { after } = remove(Buffer.concat([head, inner]), 'inner.eml/a.exe');
    expect(after.includes('Attachment: inner.eml\r\nFound in it:\r\n  inner.eml/a.exe\r\n')).toBe(true);
  });

  it('says that the text is gone in which a file stood', () => {
    const bytes = mail('From: a@b', '', 'hello', 'begin 644 a.txt', '#0V%T', '`', 'end', 'bye');
    const { after } = remove(bytes, 'a.txt');
    expect(after.includes('A text of this message was removed, as a file stands in it.\r\n\r\nFile: a.txt\r\n')).toBe(
      true,
    );
    expect(after.includes('hello')).toBe(false);
  });

  it('takes out an attached mail as a whole, with what is attached to it', () => {
    const inner = mailWith([{ name: 'a.exe', content: Buffer.from('MZ') }]);
    const bytes = Buffer.concat([
      mail(
        'From: a@b',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=top',
        '',
        '--top',
        '',
        'text',
        '--top',
        'Content-Type: message/rfc822; name=fwd.eml',
        '',
        '',
      ),
      inner,
      mail('', '--top', 'Content-Type: application/pdf; name=b.pdf', '', '%PDF-', '--top--', ''),
    ]);
    const { after, message } = remove(bytes, 'fwd.eml/a.exe');
    expect(message.structure.parts.map(({ type }) => type)).toEqual([
      'multipart/mixed',
      'text/plain',
      'text/plain',
      'application/pdf',
    ]);
    expect(after.includes('Attachment: fwd.eml\r\nFound in it:\r\n  fwd.eml/a.exe\r\n')).toBe(true);
    expect(message.objects.map(({ path }) => path)).toEqual(['b.pdf']);
  });

  it('takes out several at once, and the last part of a multipart, which stays one', () => {
    const bytes = mailWith([
      { name: 'a.exe', content: Buffer.from('MZ') },
      { name: 'b.txt', content: Buffer.from('stays') },
      { name: 'winmail.dat', content: Buffer.from('789f3e22', 'hex'), type: 'application/ms-tnef' },
    ]);
    const { after, message, notes } = remove(bytes, 'winmail.dat', 'a.exe');
    expect(message.objects.map(({ path }) => path)).toEqual(['b.txt']);
    expect(message.structure.anomalies).toEqual([]);
    expect(after.includes(Buffer.from('stays').toString('base64'))).toBe(true);
    expect(notes).toEqual(['removed winmail.dat', 'removed a.exe']);
  });

  it('wins over encryption: the whole body goes, and the trace says what else does', () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: application/pkcs7-mime; name=smime.p7m',
      'Content-Transfer-Encoding: base64',
      '',
      'MIAG',
      '',
    );
    const { message, notes } = remove(bytes, 'smime.p7m');
    expect(message.structure.root.type).toBe('text/plain');
    expect(notes).toEqual(['removed smime.p7m', 'the signature of the message is gone with the attachment']);
  });
});
