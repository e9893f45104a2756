import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS, mail, mailWith } from '../../test/message/mail.js';
import { render, trees } from '../../test/message/mime-tree.js';
import { applyEdits, type Changes, planEdits } from './edit.js';
import { readMessage } from './read.js';
import type { Message } from './types.js';

const NOTHING: Changes = { removals: [], tags: [], headers: { set: {}, add: {}, remove: [] } };

function edited(
  bytes: Buffer,
  changes: Partial<Changes>,
): { after: Buffer; message: Message; notes: readonly string[] } {
  const { edits, notes } = planEdits(readMessage(bytes, LIMITS), { ...NOTHING, ...changes });
  const after = applyEdits(bytes, edits);
  return { after, message: readMessage(after, LIMITS), notes };
}

function removal(part: number, ...objects: string[]): Changes['removals'][number] {
  return { part, objects, reason: 'Executable attachments' };
}

describe('delete-attachment', () => {
  it('changes nothing outside the part, in any tree', () => {
    fc.assert(
      fc.property(trees, fc.nat(), (tree, choice) => {
        const { bytes } = render(tree);
        const { structure } = readMessage(bytes, LIMITS);
        const leaves = structure.parts.filter(
          (part) =>
            part.children.length === 0 &&
            part.parent !== undefined &&
            structure.parts[part.parent]?.type !== 'message/rfc822',
        );
        const leaf = leaves[choice % Math.max(1, leaves.length)];
        if (leaf === undefined) return;
        const { after, message } = edited(bytes, { removals: [removal(leaf.index, 'a.bin')] });
        const tail = bytes.length - leaf.range.end;
        expect(after.subarray(0, leaf.range.start).equals(bytes.subarray(0, leaf.range.start))).toBe(true);
        expect(after.subarray(after.length - tail).equals(bytes.subarray(bytes.length - tail))).toBe(true);
        expect(message.structure.parts.length).toBe(structure.parts.length);
        expect(message.structure.parts[leaf.index]).toMatchObject({ type: 'text/plain', disposition: 'inline' });
      }),
      { numRuns: 300 },
    );
  });

  it('leaves a text that says what and why', async () => {
    const bytes = mailWith([{ name: 'räum.zip', content: Buffer.from('x') }]);
    const { message, notes } = edited(bytes, { removals: [removal(2, 'räum.zip/setup\u202e.exe')] });
    const { text } = await message.text();
    expect(text).toContain('Attachment: räum.zip');
    expect(text).toContain('räum.zip/setup\\u{202e}.exe');
    expect(text).toContain('Reason: Executable attachments');
    expect(message.objects).toEqual([]);
    expect(notes).toEqual(['removed räum.zip/setup\\u{202e}.exe']);
  });

  it('replaces the body and the Content fields where the message itself is the attachment', async () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: a/b; name=x.exe',
      'Subject: keep',
      'Content-Transfer-Encoding: base64',
      '',
      'AAAA',
      '',
    );
    const { after, message } = edited(bytes, { removals: [removal(0, 'x.exe')] });
    expect(after.toString()).toMatch(/^From: a@b\r\nSubject: keep\r\nMIME-Version: 1.0\r\nContent-Type: text\/plain/);
    expect(message.structure.root).toMatchObject({ type: 'text/plain', encoding: '7bit' });
    expect((await message.text()).text).toContain('x.exe');
    expect(message.objects).toEqual([]);
  });

  it('lets the removal of a parent swallow those inside it', () => {
    const inner = mailWith([{ name: 'a.exe', content: Buffer.from('x') }]);
    const bytes = Buffer.concat([
      mail(
        'From: a@b',
        'Content-Type: multipart/mixed; boundary=top',
        '',
        '--top',
        'Content-Type: message/rfc822',
        '',
        '',
      ),
      inner,
      mail('', '--top--', ''),
    ]);
    const { message } = edited(bytes, { removals: [removal(4, 'a.exe'), removal(1, 'fwd.eml')] });
    expect(message.structure.parts.map(({ type }) => type)).toEqual(['multipart/mixed', 'text/plain']);
    const one = edited(bytes, { removals: [removal(4, 'a.exe')] });
    expect(one.message.structure.parts).toHaveLength(5);
    expect(one.message.structure.parts[4]?.type).toBe('text/plain');
  });

  it('replaces the ambiguous part where the attachment exists in one of two readings', () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: text/plain',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: a/b; name=a.exe',
      '',
      'MZ',
      '--x--',
      '',
    );
    const { after, message } = edited(bytes, { removals: [removal(1, 'a.exe')] });
    expect(after.includes('MZ')).toBe(false);
    expect(message.structure.anomalies).toEqual([]);
  });

  it('says when a signature goes', () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: multipart/signed; boundary=x',
      '',
      '--x',
      'Content-Type: a/b; name=a',
      '',
      '1',
      '--x--',
      '',
    );
    expect(edited(bytes, { removals: [removal(1, 'a')] }).notes.join()).toContain('signature');
  });
});

describe('tags', () => {
  it.each([
    ['Subject: Re: [A] hello', {}, ['tagged the subject [B]']],
    ['Subject: Re: [A] [B] hello', {}, []],
    ['X-Other: none', {}, ['made a subject [A] [B]']],
    ['Subject: Re: [A] hello', { Subject: 'a [B] new one' }, ['set Subject', 'tagged the subject [A]']],
  ])('that were put are named: %s, set %j', (subject, set, expected) => {
    const { notes } = edited(mail('From: a@b', subject, '', 'x'), {
      tags: ['[A]', '[B]', '[A]'],
      headers: { set, add: {}, remove: [] },
    });
    expect(notes).toEqual(expected);
  });

  const subjects: readonly (readonly [string, string])[] = [
    ['Subject: hello', 'hello'],
    ['Subject:hello', 'hello'],
    ['Subject:\r\n hello', 'hello'],
    ['Subject: =?utf-8?Q?h=C3=A9llo?=', 'héllo'],
    ['SUBJECT: one\r\n two', 'one two'],
  ];
  it.each(subjects)('stand before %j, whose bytes stay', (field, decoded) => {
    for (const tags of [['[A]'], ['[A]', '[Ä ö]']]) {
      const bytes = mail('From: a@b', field, '', 'x');
      const { after, message } = edited(bytes, { tags });
      expect(message.subject).toBe(`${tags.join(' ')} ${decoded}`);
      const value = field.slice(field.indexOf(':') + 1).trimStart();
      expect(after.includes(`${value}\r\n\r\nx`)).toBe(true);
    }
  });

  it('are not put twice', () => {
    const bytes = mail('From: a@b', 'Subject: Re: =?utf-8?Q?=5BA=5D?= hello', '', 'x');
    expect(edited(bytes, { tags: ['[A]'] }).after.equals(bytes)).toBe(true);
    const folded = mail('Subject: [Check', '\tthis  mail] hello', '', 'x');
    expect(edited(folded, { tags: ['[Check this mail]'] }).after.equals(folded)).toBe(true);
    expect(edited(bytes, { tags: ['[B]', '[A]', '[B]'] }).message.subject).toBe('[B] Re: [A] hello');
  });

  it('make a subject where there is none, or an empty one', () => {
    expect(edited(mail('From: a@b', '', 'x'), { tags: ['[A]'] }).message.header('subject')).toEqual(['[A]']);
    expect(edited(mail('From: a@b', 'Subject:', '', 'x'), { tags: ['[A]'] }).message.header('subject')).toEqual([
      '[A]',
    ]);
  });

  it('fold the line', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^\[[a-zäö€]{1,30}\]$/), { minLength: 1, maxLength: 5 }),
        fc.stringMatching(/^[a-z]{1,20}( [a-z]{1,20}){0,2}$/),
        (tags, subject) => {
          const { after, message } = edited(mail('From: a@b', `Subject: ${subject}`, '', 'x'), { tags });
          for (const line of after.toString('latin1').split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
          expect(message.subject.endsWith(subject)).toBe(true);
          for (const tag of tags) expect(message.subject).toContain(tag);
        },
      ),
    );
  });
});

describe('header fields', () => {
  it('are set, added and removed, all others stay', () => {
    const bytes = mail('From: a@b', 'X-Spam: 1', 'To: c@d', 'x-spam: 2', 'X-Old: 3', '', 'body');
    const { after } = edited(bytes, {
      headers: { set: { 'X-Spam': 'maybe', 'X-New': 'n' }, add: { 'X-Top': 't' }, remove: ['x-old', 'X-None'] },
    });
    expect(after.toString()).toBe(
      ['X-Top: t', 'X-New: n', 'From: a@b', 'X-Spam: maybe', 'To: c@d', '', 'body'].join('\r\n'),
    );
  });

  it('cannot smuggle another field or end the header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        const headers = {
          set: { 'X-Set': value },
          add: { [name]: value, 'X-Add': `${value}\r\n\r\nX-Evil: 1` },
          remove: [name],
        };
        const { message } = edited(mail('From: a@b', 'To: c@d', '', 'body'), { headers });
        expect(message.header('x-evil')).toEqual([]);
        expect(message.structure.root.body.end - message.structure.root.body.start).toBe(4);
      }),
    );
  });

  it('are left alone where nothing is asked', () => {
    const bytes = mailWith([{ name: 'a', content: Buffer.from('x') }]);
    expect(planEdits(readMessage(bytes, LIMITS), NOTHING)).toEqual({ edits: [], notes: [] });
  });
});

describe('address fields', () => {
  it('keep their addresses when names are encoded', () => {
    const bytes = mail('From: a@b', 'Reply-To: old@x.example', '', 'x');
    const value = 'Jürgen Groß <j@x.example>, "Zoë, Ann" <z@x.example>, plain@x.example';
    const { message } = edited(bytes, { headers: { set: { 'Reply-To': value }, add: {}, remove: [] } });
    expect(message.addresses('reply-to')).toEqual([
      { name: 'Jürgen Groß', address: 'j@x.example' },
      { name: 'Zoë, Ann', address: 'z@x.example' },
      { name: '', address: 'plain@x.example' },
    ]);
  });
});
