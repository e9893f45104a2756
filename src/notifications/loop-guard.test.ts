import { describe, expect, it } from 'vitest';
import { envelope } from '../../test/notifications/support.js';
import type { Finding } from '../detectors/types.js';
import type { Envelope } from '../message/envelope.js';
import { newTraceId } from '../message/trace-id.js';
import type { MessageFacts } from '../pipeline/types.js';
import type { Group } from '../rules/types.js';
import { whyNotTold, type ExternalPolicy, type GuardedMessage } from './loop-guard.js';

const FACTS: MessageFacts = { size: 1, subject: '', messageId: '', from: [], eightBit: false };

function told(
  address: string,
  group: Group,
  changes: {
    readonly envelope?: Partial<Envelope>;
    readonly facts?: Partial<MessageFacts>;
    readonly findings?: readonly Finding[];
    readonly intake?: GuardedMessage['intake'];
    readonly external?: ExternalPolicy;
    readonly from?: string;
    readonly domains?: readonly string[];
  } = {},
): string | undefined {
  const message: GuardedMessage = {
    envelope: envelope({ sender: group === 'sender' ? address : 'alice@partner.example', ...changes.envelope }),
    facts: { ...FACTS, ...changes.facts },
    findings: changes.findings ?? [],
    ...(changes.intake === undefined ? {} : { intake: changes.intake }),
  };
  return whyNotTold(address, group, message, {
    from: changes.from ?? 'Gatepost <Gatepost@example.org>',
    domains: changes.domains ?? ['example.org', 'x.sub.example'],
    external: changes.external ?? 'authenticated',
  });
}

const spf: Finding = { module: 'authentication', status: 'spf', name: 'pass' };
const marked = (ownMark: string): NonNullable<GuardedMessage['intake']> => ({ anomalies: [], received: 1, ownMark });

describe('senders of automatic mail are not told', () => {
  it.each([
    ['null sender', told('', 'sender')],
    ['automatic', told('a@example.org', 'sender', { facts: { automatic: 'List-Id' } })],
    ['own mark', told('a@example.org', 'sender', { intake: marked(newTraceId()) })],
    ['own address', told('GATEPOST@Example.org', 'sender')],
    ['postmaster elsewhere', told('Postmaster@partner.example', 'sender', { findings: [spf] })],
    ['mailer-daemon elsewhere', told('mailer-daemon@partner.example', 'sender', { external: 'always' })],
  ])('%s', (_, reason) => {
    expect(reason).toBeTypeOf('string');
  });

  it('a person here is told, and our own postmaster', () => {
    expect(told('a@example.org', 'sender')).toBeUndefined();
    expect(told('a@x.sub.example', 'sender')).toBeUndefined();
    expect(told('postmaster@example.org', 'sender')).toBeUndefined();
  });

  it('the lists are told about automatic mail all the same', () => {
    const about = { facts: { automatic: 'Precedence: bulk' }, envelope: { sender: '' } };
    expect(told('admin@elsewhere.example', 'general', about)).toBeUndefined();
    expect(told('admin@elsewhere.example', 'additional', about)).toBeUndefined();
    expect(told('bob@example.org', 'recipients', about)).toBeUndefined();
  });
});

describe('our own notification that comes back by a trusted client tells nobody', () => {
  it.each<Group>(['general', 'sender', 'recipients', 'additional'])('%s', (group) => {
    const about = { intake: marked(newTraceId()), envelope: { sender: '', trusted: true } };
    expect(told('bob@example.org', group, about)).toBeTypeOf('string');
  });

  it.each([`s${'0a'.repeat(19)}1`, 'disk-low, spool-backlog'])('also a summary, and one about events: %s', (mark) => {
    const about = { intake: marked(mark), envelope: { sender: '', trusted: true } };
    expect(told('bob@example.org', 'general', about)).toBeTypeOf('string');
  });

  it('a stranger cannot silence the lists by writing the mark', () => {
    expect(
      told('bob@example.org', 'general', { intake: marked(newTraceId()), envelope: { sender: '' } }),
    ).toBeUndefined();
    expect(
      told('bob@example.org', 'general', { intake: marked('x'), envelope: { sender: '', trusted: true } }),
    ).toBeUndefined();
  });
});

describe('our own sender address is told by no group', () => {
  it.each<Group>(['general', 'sender', 'recipients', 'additional'])('%s', (group) => {
    expect(told('gatepost@EXAMPLE.org', group)).toBe('it is our own sender address');
  });
});

describe('how a domain is spelled does not count', () => {
  const ours = { domains: ['Example.ORG', 'bücher.example', 'x.größe.example'] };
  const outside = 'alice@xn--bcher-kva.example';
  const spelled = { envelope: { sender: 'alice@Bücher.example' } };
  const signed = (status: string, detail = ''): Finding => ({ module: 'authentication', status, name: 'pass', detail });

  it.each(['b@example.org', 'b@xn--bcher-kva.example', 'b@BÜCHER.example', 'b@x.xn--gre-6ka8i.example'])(
    '%s is one of ours',
    (address) => {
      expect(told(address, 'recipients', { ...ours, external: 'never' })).toBeUndefined();
    },
  );

  it('a domain that cannot be one is nobody’s', () => {
    expect(told('b@a\u00ad.xn--a', 'recipients', { ...ours, external: 'never' })).toBeTypeOf('string');
  });

  it.each([
    ['gatepost@bücher.example', 'Gatepost@xn--bcher-kva.example'],
    ['Gatepost <gatepost@xn--bcher-kva.example>', 'gatepost@Bücher.example'],
  ])('mail by %s is by our own sender address: %s', (from, address) => {
    expect(told(address, 'general', { from })).toBe('it is our own sender address');
  });

  it('a signature and a From name the domain of the envelope sender', () => {
    const from = [{ name: '', address: outside }];
    expect(
      told('alice@bücher.example', 'sender', { ...spelled, findings: [signed('dkim', 'd=xn--bcher-kva.example')] }),
    ).toBe(undefined);
    expect(told('alice@bücher.example', 'sender', { ...spelled, findings: [signed('dmarc')], facts: { from } })).toBe(
      undefined,
    );
    expect(
      told('alice@bücher.example', 'sender', { ...spelled, findings: [signed('dkim', 'd=xn--x.example')] }),
    ).toBeTypeOf('string');
  });
});

describe('people outside', () => {
  const alice = 'alice@partner.example';
  const from = (address: string): Partial<MessageFacts> => ({ from: [{ name: '', address }] });
  const dkim = (detail: string): Finding => ({ module: 'authentication', status: 'dkim', name: 'pass', detail });
  const dmarc: Finding = { module: 'authentication', status: 'dmarc', name: 'pass' };

  it.each<[string, ExternalPolicy, readonly Finding[], Partial<MessageFacts>, boolean]>([
    ['nothing passed', 'authenticated', [], {}, false],
    ['SPF passed', 'authenticated', [spf], {}, true],
    ['SPF failed', 'authenticated', [{ ...spf, name: 'fail' }], {}, false],
    ['softfail', 'authenticated', [{ ...spf, name: 'softfail' }], {}, false],
    ['another module says so', 'authenticated', [{ ...spf, module: 'external' }], {}, false],
    ['DKIM of the domain', 'authenticated', [dkim('d=Partner.Example s=x')], {}, true],
    ['DKIM of a stranger', 'authenticated', [dkim('d=evil.example')], {}, false],
    ['DKIM of a longer domain', 'authenticated', [dkim('d=partner.example.evil.example')], {}, false],
    ['DKIM of an unknown domain', 'authenticated', [{ ...dkim(''), detail: 'valid' }], {}, false],
    ['DMARC of the domain', 'authenticated', [dmarc], from('x@PARTNER.example'), true],
    ['DMARC of another From', 'authenticated', [dmarc], from('x@evil.example'), false],
    ['never, though SPF passed', 'never', [spf], {}, false],
    ['always', 'always', [], {}, true],
  ])('as sender: %s', (_, external, findings, facts, expected) => {
    expect(told(alice, 'sender', { external, findings, facts }) === undefined).toBe(expected);
  });

  it('as recipients: only a client that may relay can have aimed it', () => {
    const dave = 'dave@outside.example';
    expect(told(dave, 'recipients', { envelope: { trusted: true } })).toBeUndefined();
    expect(told(dave, 'recipients')).toBeTypeOf('string');
    expect(told(dave, 'recipients', { envelope: { trusted: true }, external: 'never' })).toBeTypeOf('string');
  });

  it('on lists: always', () => {
    expect(told('soc@outside.example', 'general', { external: 'never' })).toBeUndefined();
    expect(told('soc@outside.example', 'additional', { external: 'never' })).toBeUndefined();
  });
});

it.each(['"a b"@example.org', '"a,b (c)"@example.org'])('who needs quotes is told: %s', (address) => {
  expect(told(address, 'recipients')).toBeUndefined();
});

describe('what is no address is not written to', () => {
  it.each([
    'nobody',
    'a@',
    '@b',
    'a b@example.org',
    'a@example.org\r\nDATA',
    'a@example.org,b@x',
    '<a@example.org>',
    `${'x'.repeat(300)}@example.org`,
    'a\u202eb@example.org',
    '"a b"c@example.org',
    '"a<b"@example.org',
    '"a\r\nb"@example.org',
  ])('%j', (address) => {
    expect(told(address, 'recipients', { external: 'always' })).toBe('not an address that mail can be sent to');
  });
});
