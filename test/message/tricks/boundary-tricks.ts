import { b64, BASE64, EICAR, EVIL, OCTETS, raw, TOP, type Trick } from './trick.js';

const attachment = [OCTETS, EVIL, BASE64, '', b64(EICAR)];

/** A message with this Content-Type and this body. */
function typed(type: string, ...body: readonly string[]): Buffer {
  return raw(...TOP, `Content-Type: ${type}`, '', ...body, '');
}

/** A parameter as written, and the boundary that the body uses. */
function boundary(parameter: string, used: string): Buffer {
  return typed(`multipart/mixed; ${parameter}`, `--${used}`, ...attachment, `--${used}--`);
}

const X = 'multipart/mixed; boundary=x';

/** Boundaries that readers find in different places. */
export const BOUNDARY_TRICKS: readonly Trick[] = [
  {
    name: 'two boundary parameters, the second in use',
    bytes: boundary('boundary=one; boundary=two', 'two'),
    anomaly: 'conflicting-parameters',
  },
  {
    name: 'two boundary parameters, the first in use',
    bytes: boundary('boundary=one; boundary=two', 'one'),
    anomaly: 'conflicting-parameters',
  },
  {
    name: 'no boundary parameter',
    bytes: typed('multipart/mixed', '--q', ...attachment, '--q--'),
    anomaly: 'missing-boundary',
  },
  { name: 'an empty boundary', bytes: boundary('boundary=""', ''), anomaly: 'malformed-boundary' },
  { name: 'a boundary that never occurs', bytes: boundary('boundary=never', 'other'), anomaly: 'boundary-not-found' },
  { name: 'a boundary with a space at its end', bytes: boundary('boundary="x "', 'x') },
  { name: 'a boundary with a space at its end, and in use', bytes: boundary('boundary="x "', 'x ') },
  {
    name: 'a boundary with a space at its start',
    bytes: boundary('boundary=" x"', 'x'),
    anomaly: 'malformed-boundary',
  },
  { name: 'a quoted character in the boundary', bytes: boundary('boundary="a\\b"', 'ab') },
  { name: 'a backslash that is meant', bytes: boundary('boundary="a\\b"', 'a\\b') },
  { name: 'a boundary in single quotes', bytes: boundary("boundary='x'", 'x') },
  { name: 'a boundary in single quotes that count', bytes: boundary("boundary='x'", "'x'") },
  { name: 'a boundary as an encoded word', bytes: boundary('boundary="=?utf-8?Q?x=79?="', 'xy') },
  {
    name: 'a boundary as an encoded word that is none',
    bytes: boundary('boundary="=?utf-8?Q?x=79?="', '=?utf-8?Q?x=79?='),
  },
  { name: 'a boundary by RFC 2231', bytes: boundary("boundary*=us-ascii''x%79", 'xy'), anomaly: 'extended-boundary' },
  { name: 'a boundary in pieces', bytes: boundary('boundary*0=x; boundary*1=y', 'xy'), anomaly: 'extended-boundary' },
  {
    name: 'a plain boundary and one by RFC 2231',
    bytes: boundary("boundary=plain; boundary*=us-ascii''xy", 'xy'),
    anomaly: 'extended-boundary',
  },
  { name: 'a boundary with a comment behind it', bytes: boundary('boundary=x(comment)', 'x') },
  { name: 'a boundary with a comment that belongs to it', bytes: boundary('boundary=x(comment)', 'x(comment)') },
  { name: 'a boundary without its second quote', bytes: boundary('boundary="x', 'x'), anomaly: 'malformed-parameter' },
  {
    name: 'a boundary without its second quote, before another parameter',
    bytes: boundary('boundary="x; charset=utf-8', 'x'),
    anomaly: 'malformed-parameter',
  },
  { name: 'text behind the quoted boundary', bytes: boundary('boundary="x"y', 'xy'), anomaly: 'malformed-parameter' },
  {
    name: 'no semicolon before the boundary',
    bytes: typed('multipart/mixed boundary=x', '--x', ...attachment, '--x--'),
  },
  { name: 'a comma before the boundary', bytes: typed('multipart/mixed, boundary=x', '--x', ...attachment, '--x--') },
  {
    name: 'a boundary with bytes over 127',
    bytes: boundary('boundary="x\xe4"', 'x\xe4'),
    anomaly: 'malformed-boundary',
  },
  { name: 'a boundary of 500 characters', bytes: boundary(`boundary="${'x'.repeat(500)}"`, 'x'.repeat(500)) },
  { name: 'white space behind the delimiter', bytes: typed(X, '--x \t', ...attachment, '--x--') },
  { name: 'text behind the delimiter', bytes: typed(X, '--x', '', 'text', '--x and more', ...attachment, '--x--') },
  { name: 'a delimiter that is longer', bytes: typed(X, '--x', '', 'text', '--xyz', ...attachment, '--x--') },
  { name: 'behind the closing delimiter', bytes: typed(X, '--x', '', 'text', '--x--', '--x', ...attachment, '--x--') },
  {
    name: 'behind the closing delimiter, with another boundary',
    bytes: typed(X, '--x', '', 'text', '--x--', '--y', ...attachment, '--y--'),
    anomaly: 'parts-outside-boundary',
  },
  {
    name: 'before the first delimiter, with another boundary',
    bytes: typed(X, '--y', ...attachment, '--y--', '--x', '', 'text', '--x--'),
    anomaly: 'parts-outside-boundary',
  },
  {
    name: 'in the preamble, behind another field',
    bytes: typed(X, '--y', 'X-First: 1', ...attachment, '--y--', '--x', '', 'text', '--x--'),
    anomaly: 'parts-outside-boundary',
  },
  {
    name: 'no closing delimiter',
    bytes: typed(X, '--x', '', 'text', '--x', ...attachment),
    anomaly: 'unclosed-multipart',
  },
  {
    name: 'the inner multipart has the boundary of the outer one',
    bytes: typed(X, '--x', `Content-Type: ${X}`, '', '--x', ...attachment, '--x--', '--x--'),
  },
  {
    name: 'the closing delimiter of the outer one inside the inner one',
    bytes: typed(
      X,
      '--x',
      'Content-Type: multipart/mixed; boundary=y',
      '',
      '--x--',
      '--y',
      ...attachment,
      '--y--',
      '--x--',
    ),
  },
  {
    name: 'parts inside a text part',
    bytes: typed(X, '--x', 'Content-Type: text/plain', '', 'text', '--y', ...attachment, '--y--', '--x--'),
    anomaly: 'parts-in-text',
  },
  {
    name: 'parts inside a text part, behind fields of odd names',
    bytes: typed(X, '--x', 'Content-Type: text/plain', '', '--y', 'X_1: a', 'X.2 : b', ...attachment, '--y--', '--x--'),
    anomaly: 'parts-in-text',
  },
  {
    name: 'parts inside a message of text',
    bytes: typed('text/plain', '--y', ...attachment, '--y--'),
    anomaly: 'parts-in-text',
    onlyAnomaly: true,
  },
  {
    name: 'a form feed behind the delimiter',
    bytes: typed(X, '--x', '', 'text', '--x\f', ...attachment, '--x--'),
    anomaly: 'ambiguous-boundary',
  },
  {
    name: 'closing delimiters alone',
    bytes: typed(X, '--x--', ...attachment, '--x--'),
    anomaly: 'parts-after-close',
  },
  { name: 'an unknown kind of multipart', bytes: typed('multipart/x-odd; boundary=x', '--x', ...attachment, '--x--') },
  { name: 'a digest', bytes: typed('multipart/digest; boundary=x', '--x', '', ...TOP, ...attachment, '--x--') },
  {
    name: 'in multipart/alternative',
    bytes: typed('multipart/alternative; boundary=x', '--x', '', 'a', '--x', ...attachment, '--x--'),
  },
  {
    name: '20 levels of multiparts',
    bytes: raw(
      ...TOP,
      ...Array.from({ length: 20 }, (_, at) => `Content-Type: multipart/mixed; boundary=n${at}a\r\n\r\n--n${at}a`),
      ...attachment,
      '',
    ),
    anomaly: 'too-deep',
    onlyAnomaly: true,
  },
  {
    name: 'as the 1,500th part',
    bytes: typed(X, ...Array<string>(1500).fill('--x\r\n\r\na'), '--x', ...attachment, '--x--'),
    anomaly: 'too-many-parts',
    onlyAnomaly: true,
  },
];
