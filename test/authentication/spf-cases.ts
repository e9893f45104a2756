import type { NameData, Zone } from '../support/fake-dns.js';

/** One question to check_host() and what it must answer. */
export interface SpfCase {
  /** Section of RFC 7208 that it is about. */
  readonly section: string;
  readonly name: string;
  /** Record of example.com; several are several TXT records. None: the zone alone counts. */
  readonly record?: string | readonly string[];
  readonly zone?: Zone;
  /** Default 192.0.2.10. */
  readonly ip?: string;
  /** Default `user@example.com`. */
  readonly sender?: string;
  /** Default `mail.example.com`. */
  readonly helo?: string;
  readonly result: 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';
}

const A = (...addresses: string[]): NameData => ({ A: addresses });
const TXT = (...texts: string[]): NameData => ({ TXT: texts });
const V6 = '2001:db8::cb01';

/** A zone in which `name` leads over n includes to a record. */
function chain(n: number, last: string): Zone {
  const zone: Record<string, NameData> = {};
  for (let i = 1; i < n; i++) zone[`i${i}.example.com`] = TXT(`v=spf1 include:i${i + 1}.example.com -all`);
  zone[`i${n}.example.com`] = TXT(last);
  return zone;
}

export const SPF_CASES: readonly SpfCase[] = [
  // 2.4, 4.3: which domain, and whether it can have a record
  {
    section: '2.4',
    name: 'the null sender is checked by its HELO name',
    sender: '',
    zone: { 'mail.example.com': TXT('v=spf1 -all') },
    result: 'fail',
  },
  { section: '2.4', name: 'a HELO name without dots has no record', sender: '', helo: 'localhost', result: 'none' },
  {
    section: '2.4',
    name: 'an address literal as HELO has no record',
    sender: '',
    helo: '[192.0.2.10]',
    result: 'none',
  },
  { section: '2.4', name: 'an address as HELO has no record', sender: '', helo: '192.0.2.10', result: 'none' },
  { section: '4.3', name: 'an empty label', sender: 'user@a..example.com', result: 'none' },
  { section: '4.3', name: 'a label of 64 characters', sender: `user@${'a'.repeat(64)}.example.com`, result: 'none' },
  {
    section: '4.3',
    name: 'a label of 63 characters',
    sender: `user@${'a'.repeat(63)}.example.com`,
    zone: { [`${'a'.repeat(63)}.example.com`]: TXT('v=spf1 -all') },
    result: 'fail',
  },
  { section: '4.3', name: 'a single label', sender: 'user@com', result: 'none' },
  { section: '4.3', name: 'a domain in capitals', sender: 'user@EXAMPLE.COM', record: 'v=spf1 -all', result: 'fail' },
  {
    section: '4.3',
    name: 'a U-label is looked up as an A-label',
    sender: 'user@bücher.example.com',
    zone: { 'xn--bcher-kva.example.com': TXT('v=spf1 -all') },
    result: 'fail',
  },
  {
    section: '4.3',
    name: 'without a local part it is postmaster',
    sender: '@example.com',
    record: 'v=spf1 exists:%{l}.l.example.com -all',
    zone: { 'postmaster.l.example.com': A('127.0.0.2') },
    result: 'pass',
  },

  // 4.4, 4.5: finding the record
  { section: '4.4', name: 'no such domain', result: 'none' },
  { section: '4.4', name: 'a domain without TXT', zone: { 'example.com': A('192.0.2.10') }, result: 'none' },
  { section: '4.4', name: 'a server that fails', zone: { 'example.com': { rcode: 'SERVFAIL' } }, result: 'temperror' },
  { section: '4.4', name: 'a server that refuses', zone: { 'example.com': { rcode: 'REFUSED' } }, result: 'temperror' },
  {
    section: '3.1',
    name: 'records of type 99 are not looked at',
    zone: { 'example.com': { SPF: ['v=spf1 -all'] } },
    result: 'none',
  },
  {
    section: '3.3',
    name: 'strings of one record are joined without spaces',
    zone: { 'example.com': { TXT: [['v=spf1 ip4:192.0.', '2.10 -all']] } },
    result: 'pass',
  },
  {
    section: '3.3',
    name: 'an answer that needs TCP',
    zone: { 'example.com': { TXT: ['v=spf1 -all'], truncated: true } },
    result: 'fail',
  },
  {
    section: '4.5',
    name: 'other TXT records beside it',
    record: ['v=spf10 +all', 'v=spf1 -all', 'hello', 'v=spf2.0/pra +all'],
    result: 'fail',
  },
  { section: '4.5', name: 'only something that begins alike', record: 'v=spf10', result: 'none' },
  { section: '4.5', name: 'a space before the version', record: ' v=spf1 -all', result: 'none' },
  { section: '4.5', name: 'the version alone', record: 'v=spf1', result: 'neutral' },
  { section: '4.5', name: 'the version in capitals', record: 'V=SPF1 -ALL', result: 'fail' },
  { section: '3.2', name: 'two records', record: ['v=spf1 +all', 'v=spf1 -all'], result: 'permerror' },
  { section: '3.2', name: 'the same record twice', record: ['v=spf1 -all', 'v=spf1 -all '], result: 'permerror' },

  // 4.6: evaluation and syntax
  { section: '4.6', name: 'a syntax error behind a match', record: 'v=spf1 +all foo', result: 'permerror' },
  { section: '4.6', name: 'an unknown mechanism', record: 'v=spf1 foo:bar.example.com -all', result: 'permerror' },
  {
    section: '4.6',
    name: 'a mechanism cut from its value by a space',
    record: 'v=spf1 ip4: 192.0.2.10 -all',
    result: 'permerror',
  },
  {
    section: '4.6.1',
    name: 'several spaces and one at the end',
    record: 'v=spf1   ip4:192.0.2.10   -all  ',
    result: 'pass',
  },
  { section: '4.6.1', name: 'a tab between terms', record: 'v=spf1 ip4:192.0.2.10\t-all', result: 'permerror' },
  { section: '4.6.1', name: 'characters outside ASCII', record: 'v=spf1 a:é.example.com +all', result: 'permerror' },
  { section: '4.6.1', name: 'names are not case-sensitive', record: 'v=spf1 IP4:192.0.2.10 -aLL', result: 'pass' },
  {
    section: '4.6.1',
    name: 'an unknown modifier is passed over',
    record: 'v=spf1 moo=%{d}%% match.by=x -all',
    result: 'fail',
  },
  {
    section: '4.6.1',
    name: 'an unknown modifier with a broken macro',
    record: 'v=spf1 moo=%{x} -all',
    result: 'permerror',
  },
  {
    section: '4.6.1',
    name: 'a modifier name that begins with a digit',
    record: 'v=spf1 1up=foo -all',
    result: 'permerror',
  },
  {
    section: '4.6.1',
    name: 'a qualifier before a modifier',
    record: 'v=spf1 -redirect=b.example.com',
    zone: { 'b.example.com': TXT('v=spf1 +all') },
    result: 'permerror',
  },
  { section: '4.6.2', name: 'qualifier +', record: 'v=spf1 +ip4:192.0.2.10 -all', result: 'pass' },
  { section: '4.6.2', name: 'qualifier -', record: 'v=spf1 -ip4:192.0.2.10 +all', result: 'fail' },
  { section: '4.6.2', name: 'qualifier ~', record: 'v=spf1 ~ip4:192.0.2.10 +all', result: 'softfail' },
  { section: '4.6.2', name: 'qualifier ?', record: 'v=spf1 ?ip4:192.0.2.10 +all', result: 'neutral' },
  { section: '4.6.2', name: 'two qualifiers', record: 'v=spf1 --all', result: 'permerror' },
  { section: '4.7', name: 'no match is neutral', record: 'v=spf1 ip4:198.51.100.1', result: 'neutral' },

  // 4.6.4: limits
  {
    section: '4.6.4',
    name: 'ten includes',
    record: 'v=spf1 include:i1.example.com -all',
    zone: chain(10, 'v=spf1 +all'),
    result: 'pass',
  },
  {
    section: '4.6.4',
    name: 'eleven includes',
    record: 'v=spf1 include:i1.example.com -all',
    zone: chain(11, 'v=spf1 +all'),
    result: 'permerror',
  },
  { section: '4.6.4', name: 'an include of itself', record: 'v=spf1 include:example.com -all', result: 'permerror' },
  { section: '4.6.4', name: 'a redirect to itself', record: 'v=spf1 redirect=example.com', result: 'permerror' },
  {
    section: '4.6.4',
    name: 'ten a',
    record: `v=spf1 ${'a:h.example.com '.repeat(10)}-all`,
    zone: { 'h.example.com': A('198.51.100.1') },
    result: 'fail',
  },
  {
    section: '4.6.4',
    name: 'eleven a',
    record: `v=spf1 ${'a:h.example.com '.repeat(11)}-all`,
    zone: { 'h.example.com': A('198.51.100.1') },
    result: 'permerror',
  },
  {
    section: '4.6.4',
    name: 'an error behind the match is not reached',
    record: `v=spf1 ip4:192.0.2.10 ${'a:h.example.com '.repeat(11)}-all`,
    result: 'pass',
  },
  {
    section: '4.6.4',
    name: 'the counter goes on inside an include',
    record: `v=spf1 ${'a:h.example.com '.repeat(5)}include:i1.example.com -all`,
    zone: { 'h.example.com': A('198.51.100.1'), 'i1.example.com': TXT(`v=spf1 ${'a:h.example.com '.repeat(5)}-all`) },
    result: 'permerror',
  },
  {
    section: '4.6.4',
    name: 'ip4, ip6 and all do not count',
    record: `v=spf1 ${'ip4:198.51.100.1 ip6:2001:db8::1 '.repeat(20)}-all`,
    result: 'fail',
  },
  {
    section: '4.6.4',
    name: 'two void look-ups',
    record: 'v=spf1 a:x1.example.com a:x2.example.com ip4:192.0.2.10 -all',
    result: 'pass',
  },
  {
    section: '4.6.4',
    name: 'three void look-ups',
    record: 'v=spf1 a:x1.example.com mx:x2.example.com exists:x3.example.com ip4:192.0.2.10 -all',
    result: 'permerror',
  },
  {
    section: '4.6.4',
    name: 'a host of the other protocol is no void look-up',
    ip: V6,
    record: `v=spf1 ${'a:h.example.com '.repeat(4)}-all`,
    zone: { 'h.example.com': A('198.51.100.1') },
    result: 'fail',
  },
  {
    section: '4.6.4',
    name: 'ten MX hosts',
    record: 'v=spf1 mx -all',
    zone: { 'example.com': { MX: mx(10) }, 'm10.example.com': A('192.0.2.10') },
    result: 'pass',
  },
  {
    section: '4.6.4',
    name: 'eleven MX hosts',
    record: 'v=spf1 mx -all',
    zone: { 'example.com': { MX: mx(11) }, 'm1.example.com': A('192.0.2.10') },
    result: 'permerror',
  },
  {
    section: '4.6.4',
    name: '%{p} is no term',
    record: `v=spf1 ${'a:%{p}.z.example.com '.repeat(10)}+all`,
    zone: { ...ptr('mail.example.com', '192.0.2.10'), 'mail.example.com.z.example.com': A('198.51.100.1') },
    result: 'pass',
  },
  {
    section: '4.6.4',
    name: 'terms with %{p} are terms',
    record: `v=spf1 ${'a:%{p}.z.example.com '.repeat(11)}+all`,
    zone: { ...ptr('mail.example.com', '192.0.2.10'), 'mail.example.com.z.example.com': A('198.51.100.1') },
    result: 'permerror',
  },
  {
    section: '4.6.4',
    name: '%{p} of a client without a name is looked up once',
    record: `v=spf1 ${'a:%{p}.z.example.com '.repeat(3)}ptr +all`,
    zone: { 'unknown.z.example.com': A('198.51.100.1') },
    result: 'pass',
  },

  // 5.1 all
  {
    section: '5.1',
    name: 'what stands behind all is not looked at',
    record: 'v=spf1 -all +ip4:192.0.2.10',
    result: 'fail',
  },
  { section: '5.1', name: 'all with an argument', record: 'v=spf1 -all:foobar', result: 'permerror' },
  { section: '5.1', name: 'all with a prefix length', record: 'v=spf1 -all/8', result: 'permerror' },
  { section: '5.1', name: 'all with a dot', record: 'v=spf1 -all.', result: 'permerror' },
  {
    section: '5.1',
    name: 'all makes redirect void',
    record: 'v=spf1 redirect=b.example.com ?all',
    zone: { 'b.example.com': TXT('v=spf1 +all') },
    result: 'neutral',
  },

  // 5.2 include
  ...(['pass', 'fail', 'softfail', 'neutral'] as const).map((inner): SpfCase => ({
    section: '5.2',
    name: `an include that says ${inner}`,
    record: 'v=spf1 include:b.example.com ?all',
    zone: { 'b.example.com': TXT(`v=spf1 ${{ pass: '+', fail: '-', softfail: '~', neutral: '?' }[inner]}all`) },
    result: inner === 'pass' ? 'pass' : 'neutral',
  })),
  {
    section: '5.2',
    name: 'the qualifier of the include counts',
    record: 'v=spf1 ~include:b.example.com -all',
    zone: { 'b.example.com': TXT('v=spf1 +all') },
    result: 'softfail',
  },
  {
    section: '5.2',
    name: 'an include without a record',
    record: 'v=spf1 include:b.example.com ?all',
    result: 'permerror',
  },
  {
    section: '5.2',
    name: 'an include with a wrong record',
    record: 'v=spf1 include:b.example.com ?all',
    zone: { 'b.example.com': TXT('v=spf1 foo') },
    result: 'permerror',
  },
  {
    section: '5.2',
    name: 'an include that cannot be looked up',
    record: 'v=spf1 include:b.example.com ?all',
    zone: { 'b.example.com': { rcode: 'SERVFAIL' } },
    result: 'temperror',
  },
  { section: '5.2', name: 'include without a domain', record: 'v=spf1 include', result: 'permerror' },
  { section: '5.2', name: 'include with an empty domain', record: 'v=spf1 include: -all', result: 'permerror' },
  {
    section: '5.2',
    name: 'include with a prefix length',
    record: 'v=spf1 include:b.example.com/24 -all',
    zone: { 'b.example.com': TXT('v=spf1 +all') },
    result: 'permerror',
  },
  {
    section: '5.2',
    name: 'a redirect inside an include',
    record: 'v=spf1 include:b.example.com ?all',
    zone: { 'b.example.com': TXT('v=spf1 redirect=c.example.com'), 'c.example.com': TXT('v=spf1 +all') },
    result: 'pass',
  },

  // 5.3 a
  {
    section: '5.3',
    name: 'the domain itself',
    record: 'v=spf1 a -all',
    zone: { 'example.com': A('192.0.2.10') },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'another domain',
    record: 'v=spf1 a:h.example.com -all',
    zone: { 'h.example.com': A('198.51.100.1', '192.0.2.10') },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'a final dot',
    record: 'v=spf1 a:h.example.com. -all',
    zone: { 'h.example.com': A('192.0.2.10') },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'over a CNAME',
    record: 'v=spf1 a:c.example.com -all',
    zone: { 'c.example.com': { CNAME: 'h.example.com' }, 'h.example.com': A('192.0.2.10') },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'a prefix length',
    record: 'v=spf1 a/24 -all',
    zone: { 'example.com': A('192.0.2.200') },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'a prefix length of 0',
    record: 'v=spf1 a/0 -all',
    zone: { 'example.com': A('10.0.0.1') },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'IPv6',
    ip: V6,
    record: 'v=spf1 a//64 -all',
    zone: { 'example.com': { A: ['192.0.2.10'], AAAA: ['2001:db8::1'] } },
    result: 'pass',
  },
  {
    section: '5.3',
    name: 'both prefix lengths',
    ip: V6,
    record: 'v=spf1 a:h.example.com/8//128 -all',
    zone: { 'h.example.com': { AAAA: ['2001:db8::1'] } },
    result: 'fail',
  },
  { section: '5.3', name: 'a prefix length over 32', record: 'v=spf1 a/33 -all', result: 'permerror' },
  { section: '5.3', name: 'a prefix length over 128', record: 'v=spf1 a//129 -all', result: 'permerror' },
  { section: '5.3', name: 'a prefix length with a leading zero', record: 'v=spf1 a/024 -all', result: 'permerror' },
  { section: '5.3', name: 'a slash without a length', record: 'v=spf1 a/ -all', result: 'permerror' },
  { section: '5.3', name: 'a name without a top label', record: 'v=spf1 a:museum -all', result: 'permerror' },
  { section: '5.3', name: 'an address instead of a name', record: 'v=spf1 a:192.0.2.10 -all', result: 'permerror' },
  { section: '5.3', name: 'a port', record: 'v=spf1 a:h.example.com:8080', result: 'permerror' },
  { section: '5.3', name: 'an empty name', record: 'v=spf1 a: -all', result: 'permerror' },
  { section: '5.3', name: 'a name that does not exist', record: 'v=spf1 a:x.example.com -all', result: 'fail' },
  {
    section: '5.3',
    name: 'a name that cannot be looked up',
    record: 'v=spf1 a:x.example.com -all',
    zone: { 'x.example.com': { rcode: 'SERVFAIL' } },
    result: 'temperror',
  },
  {
    section: '5.3',
    name: 'an underscore in the name',
    record: 'v=spf1 a:_spf.h.example.com -all',
    zone: { '_spf.h.example.com': A('192.0.2.10') },
    result: 'pass',
  },

  // 5.4 mx
  {
    section: '5.4',
    name: 'an MX host',
    record: 'v=spf1 mx -all',
    zone: { 'example.com': { MX: mx(2) }, 'm1.example.com': A('10.0.0.1'), 'm2.example.com': A('192.0.2.10') },
    result: 'pass',
  },
  {
    section: '5.4',
    name: 'the domain is no MX host by itself',
    record: 'v=spf1 mx -all',
    zone: { 'example.com': A('192.0.2.10') },
    result: 'fail',
  },
  {
    section: '5.4',
    name: 'MX of another domain, with a prefix length',
    record: 'v=spf1 mx:o.example.com/24 -all',
    zone: { 'o.example.com': { MX: mx(1) }, 'm1.example.com': A('192.0.2.77') },
    result: 'pass',
  },
  {
    section: '5.4',
    name: 'IPv6',
    ip: V6,
    record: 'v=spf1 mx//32 -all',
    zone: { 'example.com': { MX: mx(1) }, 'm1.example.com': { AAAA: ['2001:db8:1::1'] } },
    result: 'pass',
  },
  {
    section: '5.4',
    name: 'a null MX',
    record: 'v=spf1 mx ?all',
    zone: { 'example.com': { MX: [{ exchange: '', priority: 0 }] } },
    result: 'neutral',
  },
  {
    section: '5.4',
    name: 'MX that cannot be looked up',
    record: 'v=spf1 mx:o.example.com -all',
    zone: { 'o.example.com': { rcode: 'SERVFAIL' } },
    result: 'temperror',
  },

  // 5.5 ptr
  {
    section: '5.5',
    name: 'a validated name of the domain',
    record: 'v=spf1 ptr -all',
    zone: ptr('mail.example.com', '192.0.2.10'),
    result: 'pass',
  },
  {
    section: '5.5',
    name: 'in capitals',
    record: 'v=spf1 ptr:EXAMPLE.com -all',
    zone: ptr('Mail.Example.Com', '192.0.2.10'),
    result: 'pass',
  },
  {
    section: '5.5',
    name: 'a name that does not lead back',
    record: 'v=spf1 ptr -all',
    zone: ptr('mail.example.com', '198.51.100.1'),
    result: 'fail',
  },
  {
    section: '5.5',
    name: 'a name that only ends alike',
    record: 'v=spf1 ptr -all',
    zone: ptr('badexample.com', '192.0.2.10'),
    result: 'fail',
  },
  {
    section: '5.5',
    name: 'a failure is no match',
    record: 'v=spf1 ptr -all',
    zone: { '10.2.0.192.in-addr.arpa': { rcode: 'SERVFAIL' } },
    result: 'fail',
  },
  {
    section: '5.5',
    name: 'IPv6',
    ip: '2001:db8::1',
    record: 'v=spf1 ptr -all',
    zone: {
      '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { PTR: ['mail.example.com'] },
      'mail.example.com': { AAAA: ['2001:db8::1'] },
    },
    result: 'pass',
  },
  {
    section: '5.5',
    name: 'the eleventh name is not looked at',
    record: 'v=spf1 ptr -all',
    zone: {
      '10.2.0.192.in-addr.arpa': {
        PTR: [...Array.from({ length: 10 }, (_, i) => `p${i}.other.example`), 'mail.example.com'],
      },
      'mail.example.com': A('192.0.2.10'),
    },
    result: 'fail',
  },
  { section: '5.5', name: 'an empty argument', record: 'v=spf1 ptr: -all', result: 'permerror' },

  // 5.6 ip4, ip6
  { section: '5.6', name: 'a network', record: 'v=spf1 ip4:192.0.2.0/24 -all', result: 'pass' },
  { section: '5.6', name: 'bits of the host are passed over', record: 'v=spf1 ip4:192.0.2.99/24 -all', result: 'pass' },
  { section: '5.6', name: 'outside of the network', record: 'v=spf1 ip4:192.0.2.128/25 -all', result: 'fail' },
  { section: '5.6', name: 'ip4 with 33 bits', record: 'v=spf1 ip4:192.0.2.10/33 -all', result: 'permerror' },
  { section: '5.6', name: 'ip4 with a leading zero', record: 'v=spf1 ip4:192.0.2.10/032 -all', result: 'permerror' },
  { section: '5.6', name: 'ip4 with two slashes', record: 'v=spf1 ip4:192.0.2.10//32', result: 'permerror' },
  { section: '5.6', name: 'ip4 with three numbers', record: 'v=spf1 ip4:192.0.2', result: 'permerror' },
  { section: '5.6', name: 'ip4 with a name', record: 'v=spf1 ip4:example.com', result: 'permerror' },
  { section: '5.6', name: 'ip4 with an IPv6 address', record: 'v=spf1 ip4:2001:db8::1', result: 'permerror' },
  { section: '5.6', name: 'ip4 with a port', record: 'v=spf1 ip4:192.0.2.10:8080', result: 'permerror' },
  { section: '5.6', name: 'ip6', ip: V6, record: 'v=spf1 ip6:2001:db8::cb01 -all', result: 'pass' },
  {
    section: '5.6',
    name: 'ip6 written out',
    ip: V6,
    record: 'v=spf1 ip6:2001:DB8:0:0:0:0:0:CB01 -all',
    result: 'pass',
  },
  { section: '5.6', name: 'a network of ip6', ip: V6, record: 'v=spf1 ip6:2001:db8::/32 -all', result: 'pass' },
  { section: '5.6', name: 'ip6 with 129 bits', record: 'v=spf1 ip6:2001:db8::/129', result: 'permerror' },
  { section: '5.6', name: 'ip6 with an IPv4 address', record: 'v=spf1 ip6:192.0.2.10', result: 'permerror' },
  { section: '5.6', name: 'ip6 does not take an IPv4 client', record: 'v=spf1 ip6:::/0 -all', result: 'fail' },
  {
    section: '5.6',
    name: 'ip4 does not take an IPv6 client',
    ip: V6,
    record: 'v=spf1 ip4:0.0.0.0/0 -all',
    result: 'fail',
  },
  { section: '5.6', name: 'ip4 without an argument', record: 'v=spf1 ip4', result: 'permerror' },

  // 5.7 exists
  {
    section: '5.7',
    name: 'a name with an address',
    record: 'v=spf1 exists:h.example.com -all',
    zone: { 'h.example.com': A('127.0.0.2') },
    result: 'pass',
  },
  {
    section: '5.7',
    name: 'a name with an IPv6 address alone',
    ip: V6,
    record: 'v=spf1 exists:h.example.com -all',
    zone: { 'h.example.com': { AAAA: ['2001:db8::1'] } },
    result: 'fail',
  },
  {
    section: '5.7',
    name: 'an address of IPv4 for an IPv6 client',
    ip: V6,
    record: 'v=spf1 exists:h.example.com -all',
    zone: { 'h.example.com': A('127.0.0.2') },
    result: 'pass',
  },
  { section: '5.7', name: 'no argument', record: 'v=spf1 exists', result: 'permerror' },
  { section: '5.7', name: 'a prefix length', record: 'v=spf1 exists:h.example.com/24', result: 'permerror' },
  {
    section: '5.7',
    name: 'a failure',
    record: 'v=spf1 exists:h.example.com -all',
    zone: { 'h.example.com': { rcode: 'SERVFAIL' } },
    result: 'temperror',
  },

  // 6: modifiers
  {
    section: '6',
    name: 'a modifier may stand before mechanisms',
    record: 'v=spf1 redirect=b.example.com ip4:192.0.2.10',
    zone: { 'b.example.com': TXT('v=spf1 -all') },
    result: 'pass',
  },
  {
    section: '6.1',
    name: 'redirect',
    record: 'v=spf1 redirect=b.example.com',
    zone: { 'b.example.com': TXT('v=spf1 ~all') },
    result: 'softfail',
  },
  {
    section: '6.1',
    name: 'the domain is the new one afterwards',
    record: 'v=spf1 redirect=b.example.com',
    zone: { 'b.example.com': { TXT: ['v=spf1 a -all'], A: ['192.0.2.10'] } },
    result: 'pass',
  },
  { section: '6.1', name: 'redirect without a record', record: 'v=spf1 redirect=b.example.com', result: 'permerror' },
  {
    section: '6.1',
    name: 'redirect that cannot be looked up',
    record: 'v=spf1 redirect=b.example.com',
    zone: { 'b.example.com': { rcode: 'SERVFAIL' } },
    result: 'temperror',
  },
  { section: '6.1', name: 'redirect with an empty domain', record: 'v=spf1 redirect=', result: 'permerror' },
  {
    section: '6.1',
    name: 'redirect twice',
    record: 'v=spf1 redirect=b.example.com redirect=b.example.com',
    zone: { 'b.example.com': TXT('v=spf1 +all') },
    result: 'permerror',
  },
  {
    section: '6.1',
    name: 'redirect with a macro',
    record: 'v=spf1 redirect=%{d2}._spf.example.com',
    zone: { 'example.com._spf.example.com': TXT('v=spf1 -all') },
    result: 'fail',
  },
  {
    section: '6.2',
    name: 'an explanation changes nothing',
    record: 'v=spf1 exp=e.example.com -all',
    zone: { 'e.example.com': { rcode: 'SERVFAIL' } },
    result: 'fail',
  },
  {
    section: '6.2',
    name: 'an explanation twice',
    record: 'v=spf1 exp=e.example.com exp=f.example.com -all',
    result: 'permerror',
  },
  { section: '6.2', name: 'an empty explanation', record: 'v=spf1 exp= -all', result: 'permerror' },

  // 7: macros
  macro('%{o}', 'example.com'),
  macro('%{d}', 'example.com'),
  macro('%{d1}', 'com'),
  macro('%{d9}', 'example.com'),
  macro('%{dr}', 'com.example'),
  macro('%{d1r}', 'example'),
  macro('%{l}', 'strong-bad', 'strong-bad@example.com'),
  macro('%{l-}', 'strong.bad', 'strong-bad@example.com'),
  macro('%{lr-}', 'bad.strong', 'strong-bad@example.com'),
  macro('%{l1r-}', 'strong', 'strong-bad@example.com'),
  macro('%{l+}', 'a.b', 'a+b@example.com'),
  macro('%{l+-}', 'a.b.c', 'a+b-c@example.com'),
  macro('%{i}', '192.0.2.10'),
  macro('%{ir}', '10.2.0.192'),
  macro('%{v}', 'in-addr'),
  macro('%{h}', 'mail.example.com'),
  macro('%{ir}.%{v}._spf.%{d2}', '10.2.0.192.in-addr._spf.example.com'),
  {
    section: '7.3',
    name: '%{i} of IPv6',
    ip: '2001:db8::cb01',
    record: 'v=spf1 exists:%{ir}.%{v}.m.example.com -all',
    zone: { '1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.m.example.com': A('127.0.0.2') },
    result: 'pass',
  },
  {
    section: '7.3',
    name: '%{p} of a client with a name',
    record: 'v=spf1 exists:%{p}.m.example.com -all',
    zone: { ...ptr('mail.example.com', '192.0.2.10'), 'mail.example.com.m.example.com': A('127.0.0.2') },
    result: 'pass',
  },
  {
    section: '7.3',
    name: '%{p} of a client without a name',
    record: 'v=spf1 exists:%{p}.m.example.com -all',
    zone: { 'unknown.m.example.com': A('127.0.0.2') },
    result: 'pass',
  },
  {
    section: '7.3',
    name: '%{d} inside an include is its own domain',
    record: 'v=spf1 include:b.example.com -all',
    zone: {
      'b.example.com': TXT('v=spf1 exists:%{d}.m.example.com -all'),
      'b.example.com.m.example.com': A('127.0.0.2'),
    },
    result: 'pass',
  },
  {
    section: '7.3',
    name: "%{o} inside an include is the sender's domain",
    record: 'v=spf1 include:b.example.com -all',
    zone: {
      'b.example.com': TXT('v=spf1 exists:%{o}.m.example.com -all'),
      'example.com.m.example.com': A('127.0.0.2'),
    },
    result: 'pass',
  },
  {
    section: '7.3',
    name: 'a name over 253 characters loses labels on the left',
    sender: `${'x'.repeat(60)}@example.com`,
    record: `v=spf1 exists:${'%{l}.'.repeat(5)}m.example.com -all`,
    zone: { [`${`${'x'.repeat(60)}.`.repeat(3)}m.example.com`]: A('127.0.0.2') },
    result: 'pass',
  },
  {
    section: '7.3',
    name: 'a name that the resolver cannot ask for says nothing',
    record: 'v=spf1 exists:%{l}.m.example.com -all',
    sender: 'user+tag@example.com',
    result: 'temperror',
  },
  {
    section: '7.3',
    name: 'a name with a space says nothing',
    record: 'v=spf1 exists:%{l}.m.example.com -all',
    sender: 'john doe@example.com',
    result: 'temperror',
  },
  {
    section: '7.3',
    name: 'a host with a space, from %_, says nothing',
    record: 'v=spf1 a:a%_b.example.com -all',
    result: 'temperror',
  },
  {
    section: '7.3',
    name: 'a name with characters outside ASCII is not there',
    record: 'v=spf1 exists:%{l}.m.example.com -all',
    sender: 'josé@example.com',
    result: 'fail',
  },
  {
    section: '7.1',
    name: 'an unknown macro letter',
    record: 'v=spf1 exists:%{x}.example.com -all',
    result: 'permerror',
  },
  { section: '7.1', name: 'a percent sign alone', record: 'v=spf1 exists:%.example.com -all', result: 'permerror' },
  { section: '7.1', name: 'an open brace', record: 'v=spf1 exists:%{i.example.com -all', result: 'permerror' },
  {
    section: '7.1',
    name: 'a macro that keeps no part',
    record: 'v=spf1 exists:%{d0}.example.com -all',
    result: 'permerror',
  },
  {
    section: '7.1',
    name: 'transformers in the wrong order',
    record: 'v=spf1 exists:%{dr2}.example.com -all',
    result: 'permerror',
  },
  {
    section: '7.2',
    name: 'a letter of explanations',
    record: 'v=spf1 exists:%{r}.example.com -all',
    result: 'permerror',
  },
  {
    section: '7.1',
    name: 'text behind a macro needs a dot',
    record: 'v=spf1 exists:%{i}com -all',
    result: 'permerror',
  },
];

function mx(count: number): { exchange: string; priority: number }[] {
  return Array.from({ length: count }, (_, i) => ({ exchange: `m${i + 1}.example.com`, priority: i }));
}

/** The client 192.0.2.10 claims a name; the name claims an address. */
function ptr(name: string, address: string): Zone {
  return { '10.2.0.192.in-addr.arpa': { PTR: [name] }, [name.toLowerCase()]: A(address) };
}

/** A macro, tried with `exists`. */
function macro(text: string, expanded: string, sender?: string): SpfCase {
  return {
    section: '7.3',
    name: `${text} is ${expanded}`,
    record: `v=spf1 exists:${text}.m.example.com -all`,
    zone: { [`${expanded}.m.example.com`.toLowerCase()]: A('127.0.0.2') },
    ...(sender === undefined ? {} : { sender }),
    result: 'pass',
  };
}
