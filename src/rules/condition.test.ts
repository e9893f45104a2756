import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { object, subjectOf, type SubjectOptions } from '../../test/rules/subject.js';
import { ruleSet } from '../../test/rules/load.js';
import { LIMITS, mail } from '../../test/message/mail.js';
import { readMessage } from '../message/read.js';
import { compileCondition } from './condition.js';
import type { Condition } from './model.js';
import { SubjectView } from './view.js';

async function holds(when: string, options: SubjectOptions = {}): Promise<boolean> {
  const set = await ruleSet(`rules:\n  - id: test\n    match: { when: ${when} }\n`, { words: 'win*\n# x\nlottery\n' });
  return set.select(subjectOf(options), 'b@example.org').rule.id === 'test';
}

const attachments = [
  object('report.pdf', { type: 'document', mime: 'application/pdf', size: 200_000 }),
  object('tools.zip', { type: 'archive', size: 5_000_000 }),
  object('tools.zip/bin/Setup.EXE', { depth: 1, name: 'bin/Setup.EXE', type: 'executable', size: 9_000_000 }),
];
const anna = { address: 'Anna@Partner.example', name: 'Anna M\u00fcller' };
const full: SubjectOptions = {
  subject: 'You WIN',
  body: 'Dear winner,\r\nclick here',
  tls: true,
  user: 'anna',
  size: 3_000_000,
  recipients: ['b@example.org', 'c@example.org'],
  header: { 'x-mailer': ['Bulk 1', 'Other'], received: ['a', 'b'], 'x-at': ['@words', '@Constructor'] },
  addresses: {
    from: [anna],
    to: [
      { address: 'b@example.org', name: 'Bert' },
      { address: 'c@example.org', name: 'Carl' },
    ],
    'reply-to': [{ address: 'x@elsewhere.example', name: '' }],
  },
  objects: attachments,
  links: [
    { url: 'https://shop.example/a?b=C', raw: 'HTTPS://Shop.example/a?b=C', domain: 'shop.example', text: 'Our offer' },
    { url: 'https://shop.example/a?b=C', domain: 'shop.example', text: '', kind: 'text' },
    { url: 'http://xn--bcher-kva.example/', domain: 'xn--bcher-kva.example', text: 'Read this' },
    { url: 'https://img.shop.example/logo.png', domain: 'img.shop.example', kind: 'src' },
    { url: 'javascript:alert(1)', text: 'Click' },
  ],
};

describe('names of attachments', () => {
  it.each<[string, string, boolean]>([
    ['invoice.pdf.exe', '{ attachment.extension: exe }', true],
    ['invoice.pdf.exe', '{ attachment.extension: pdf.exe }', true],
    ['invoice.pdf.exe', '{ attachment.name: "*.pdf.*" }', true],
    ['backup.tar.gz', '{ attachment.extension: tar.gz }', true],
    ['evil.exe. .', '{ attachment.extension: exe }', true],
    ['evil.exe. .', '{ attachment.name: "*.exe" }', true],
    ['evil.e\u200bxe', '{ attachment.name: "*.exe" }', true],
    ['evil\uff0e\uff45\uff58\uff45', '{ attachment.extension: exe }', true],
    ['exe.\u202etxt.exe', '{ attachment.extension: exe }', true],
    ['evil.exe::$DATA', '{ attachment.extension: exe }', true],
    ['report.v2.txt', '{ attachment.extension: v2 }', false],
    ['report.exe.txt', '{ attachment.name: "*.exe" }', false],
  ])('%s %s', async (name, when, expected) => {
    const objects = [object(name, { name, extension: '' })];
    expect(await holds(when, { objects })).toBe(expected);
  });

  it('are all that a reader may see', async () => {
    const objects = [object('a.txt', { otherNames: ['evil.exe'], mime: 'text/plain', otherMimes: ['application/x-dosexec'] })];
    expect(await holds('{ attachment.name: evil.exe }', { objects })).toBe(true);
    expect(await holds('{ attachment.extension: exe }', { objects })).toBe(true);
    expect(await holds('{ attachment.mime: "*dosexec", attachment.name: a.txt }', { objects })).toBe(true);
  });
});

describe('attachments.count', () => {
  it('counts what two readings show once', async () => {
    const bytes = mail(
      'From: a@b',
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: multipart/alternative; boundary=y',
      '',
      '--y',
      '',
      'Hello',
      '--y',
      'Content-Type: application/pdf; name=a.pdf',
      '',
      '%PDF-1.4 x',
      '--x--',
      '',
    );
    const message = readMessage(bytes, LIMITS);
    await message.secondOpinion(5000);
    expect(message.objects.map(({ name }) => name)).toEqual(['a.pdf', 'a.pdf']);
    const view = new SubjectView({ ...subjectOf({}), message }, { day: 0, minute: 0 });
    expect(view.attachmentCount).toBe(1);
  });
});

describe('text', () => {
  it('is compared as a reader sees it', async () => {
    expect(await holds('{ body: { contains: wire transfer } }', { body: 'W\u200bire\u00a0tran\u00adsfer' })).toBe(true);
    expect(await holds('{ subject: invoice }', { subject: '\uff49\uff4e\uff56\uff4f\uff49\uff43\uff45' })).toBe(true);
  });

  it('is the same whether a header field is folded by a space or by a tab', async () => {
    const folded = { subject: 'Please verify your \taccount\tnow', addresses: { from: [{ address: 'a@b.example', name: 'The\tBank' }] } };
    expect(await holds('{ subject: { contains: your account } }', folded)).toBe(true);
    expect(await holds('{ header.subject: "*verify your account now" }', { ...folded, header: { subject: [folded.subject] } })).toBe(true);
    expect(await holds('{ from.name: the bank }', folded)).toBe(true);
    expect(await holds('{ attachment.name: our invoice.pdf }', { objects: [object('our\tinvoice.pdf')] })).toBe(true);
    expect(await holds('{ subject: { matches: "your \\taccount" } }', folded)).toBe(true);
  });

  it('is an address of a machine, however it is written', async () => {
    expect(await holds('{ client.ip: { is: "2001:0DB8:0:0::1" } }', { client: '2001:db8::1' })).toBe(true);
  });

  it('is handed to `matches` as it stands, the recipient too', async () => {
    const set = await ruleSet("rules:\n  - id: test\n    match: { when: { recipient: { matches: '^[A-Z]' } } }\n");
    const ruleFor = (recipient: string): string => set.select(subjectOf({ recipients: [recipient] }), recipient).rule.id;
    expect(ruleFor('Abc@Example.ORG')).toBe('test');
    expect(ruleFor('abc@Example.ORG')).toBe('default');
  });

  it('is that of every Subject field', async () => {
    expect(await holds('{ subject: second }', { header: { subject: ['first', 'second'] } })).toBe(true);
  });
});

describe('a condition', () => {
  it.each<[string, boolean]>([
    ['{ subject: "*win*" }', true],
    ['{ subject: "win" }', false],
    ['{ subject: "@words" }', false],
    ['{ subject: { in: ["you win", x] } }', true],
    ['{ subject: { is: "you win" } }', true],
    ['{ subject: { is: "you*" } }', false],
    ['{ header.x-at: { is: "@words" } }', true],
    ['{ header.x-at: { is: "@constructor" } }', true],
    ['{ subject: { is: "@constructor" } }', false],
    ['{ subject: { in: "@words" } }', false],
    ['{ header.x-at: { contains: "@constructor" } }', true],
    ['{ from: { is: "@our-domains" } }', false],
    ['{ from: { is: "ANNA@partner.example" } }', true],
    ['{ to: { in: "@our-domains" } }', true],
    ['{ subject: { starts: you, ends: WIN } }', true],
    ['{ subject: { contains: [lose, win] } }', true],
    ['{ subject: { matches: "W.N$" } }', true],
    ['{ subject: { matches: "w.n$" } }', false],
    ['{ subject: { matches: "(?i)w.n$" } }', true],
    ['{ subject: { exists: true } }', true],
    ['{ body: "*winner,*click*" }', true],
    ['{ header.X-Mailer: "bulk*" }', true],
    ['{ header.x-mailer: { exists: false } }', false],
    ['{ header.X-None: { exists: false } }', true],
    ['{ header.X-None: "*" }', false],
    // Both tests are about one value.
    ['{ header.X-Mailer: { starts: bulk, ends: other } }', false],
    ['{ not: { header.X-Mailer: "bulk*" } }', false],
    ['{ from: "anna@partner.example" }', true],
    ['{ from.domain: partner.example }', true],
    ['{ from.name: "*m\u00fcller" }', true],
    ['{ to: "c@example.org" }', true],
    ['{ cc: "*" }', false],
    ['{ reply-to.domain: { in: [elsewhere.example] } }', true],
    ['{ sender.domain: "partner.*" }', true],
    ['{ recipient: "b@example.org" }', true],
    ['{ recipient.name: Bert }', true],
    ['{ recipient.name: Carl }', false],
    ['{ size: { over: 2MB, under: 4MB } }', true],
    ['{ size: { over: 3MB } }', false],
    ['{ size: { under: 3MB } }', false],
    ['{ size: { between: [3MB, 4MB] } }', true],
    ['{ recipients.count: 2 }', true],
    ['{ attachments.count: { is: 2 } }', true],
    ['{ attachment.name: "setup.exe" }', true],
    ['{ attachment.name: "bin/*" }', true],
    ['{ attachment.name: "tools.zip/*" }', true],
    ['{ attachment.extension: exe }', true],
    ['{ attachment.type: [script, executable] }', true],
    ['{ attachment.mime: application/pdf }', true],
    ['{ attachment.depth: { over: 0 } }', true],
    ['{ attachment.encrypted: true }', false],
    ['{ attachment.encrypted: false }', true],
    // Tests in one map are about one attachment, entries of `all` may be about different ones.
    ['{ attachment.type: document, attachment.size: { over: 1MB } }', false],
    ['{ all: [ { attachment.type: document }, { attachment.size: { over: 1MB } } ] }', true],
    ['{ link.url: "https://shop.example/*" }', true],
    ['{ link.url: { starts: "javascript:" } }', true],
    ['{ link.url: { matches: "^HTTPS://Shop" } }', true],
    ['{ link.domain: ["*.shop.example"] }', true],
    ['{ link.domain: { is: "bücher.example" } }', true],
    ['{ link.domain: "other.example" }', false],
    ['{ link.text: "*offer*" }', true],
    ['{ link.domain: { exists: false } }', true],
    // Tests in one map are about one link.
    ['{ link.domain: shop.example, link.text: "read*" }', false],
    ['{ all: [ { link.domain: shop.example }, { link.text: "read*" } ] }', true],
    ['{ link.domain: shop.example, attachment.type: archive }', true],
    ['{ not: { link.domain: shop.example } }', false],
    ['{ links.count: 3 }', true],
    ['{ links.count: { over: 3 } }', false],
    ['{ client.ip: 192.0.2.0/24 }', true],
    ['{ client.ip: "192.0.*" }', true],
    ['{ client.ip: { is: "::ffff:192.0.2.1" } }', true],
    ['{ client.ip: { is: 192.0.2.0/24 } }', true],
    ['{ client.ip: { is: 192.0.2.2 } }', false],
    ['{ client.ip: { in: [10.0.0.0/8, "::ffff:c000:201"] } }', true],
    ['{ client.ip: { in: 10.0.0.0/8 } }', false],
    ['{ client.helo: "*.partner.example" }', true],
    ['{ client.tls: true }', true],
    ['{ authenticated: { is: false } }', false],
    ['{ any: [ { subject: no }, { not: { body: no } } ], size: { over: 1MB } }', true],
    ['{ any: [ { subject: no }, { body: no } ], size: { over: 1MB } }', false],
  ])('%s', async (when, expected) => {
    expect(await holds(when, full)).toBe(expected);
  });

  it('keeps the laws of logic, with and without looking for witnesses', () => {
    const leaf = fc.constantFrom<Condition>(
      { kind: 'field', test: { field: 'subject', checks: [{ op: 'masks', masks: ['*win*'] }] } },
      { kind: 'field', test: { field: 'subject', checks: [{ op: 'masks', masks: ['no'] }] } },
      { kind: 'attachment', tests: [{ field: 'attachment.type', checks: [{ op: 'masks', masks: ['archive'] }] }] },
      { kind: 'attachment', tests: [{ field: 'attachment.type', checks: [{ op: 'masks', masks: ['video'] }] }] },
    );
    const { tree } = fc.letrec<{ tree: Condition }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.record({ kind: fc.constantFrom('all', 'any'), of: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
        fc.record({ kind: fc.constant('not'), of: tie('tree') }),
      ),
    }));
    const view = new SubjectView(subjectOf(full), { day: 0, minute: 0 });
    const question = { view, recipient: 'b@example.org', rawRecipient: 'b@example.org', findings: [] };
    const context = { lists: {}, domains: [] };
    const plain = (condition: Condition): boolean => {
      switch (condition.kind) {
        case 'all':
          return condition.of.every(plain);
        case 'any':
          return condition.of.some(plain);
        case 'not':
          return !plain(condition.of);
        default:
          return compileCondition(condition, context).holds(question);
      }
    };
    fc.assert(
      fc.property(tree, (condition) => {
        const compiled = compileCondition(condition, context);
        const witnesses = { objects: new Set<(typeof attachments)[number]>(), findings: new Set<never>() };
        const expected = plain(condition);
        expect(compiled.holds(question)).toBe(expected);
        expect(compiled.holds(question, witnesses)).toBe(expected);
        if (!expected) expect(witnesses.objects.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
