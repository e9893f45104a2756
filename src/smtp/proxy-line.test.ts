import { expect, it } from 'vitest';
import { parseProxyLine } from './proxy-line.js';

it.each([
  ['PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n', { address: '192.0.2.7', port: 4711 }],
  ['PROXY TCP6 2001:DB8::7 2001:db8::1 65535 25\r\n', { address: '2001:db8::7', port: 65_535 }],
  ['PROXY UNKNOWN\r\n', {}],
  ['PROXY UNKNOWN ffff:f::1 ffff:f::2 65535 65535\r\n', {}],
])('%j', (line, client) => {
  expect(parseProxyLine(line)).toEqual(client);
});

it.each([
  '',
  '\r\n',
  'PROXY\r\n',
  'PROXY \r\n',
  'PROXY TCP4\r\n',
  `PROXY ${'x'.repeat(90)}\r\n`,
  'PROXY UNKNOWN',
  'PROXY UNKNOWN\n',
  'PROXY UNKNOWNS\r\n',
  'PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\n',
  'PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n',
  'PROXY TCP4 192.0.2.7 192.0.2.1 4711 65536\r\n',
  'PROXY TCP4 192.0.2.7  192.0.2.1 4711 25\r\n',
  'PROXY TCP4 192.0.2.7 192.0.2.1 4711 25 x\r\n',
  'PROXY TCP4 2001:db8::7 2001:db8::1 4711 25\r\n',
  'PROXY TCP6 192.0.2.7 192.0.2.1 4711 25\r\n',
  'PROXY TCP4 evil 192.0.2.1 1 2\r\n',
  'PROXY SCTP 192.0.2.7 192.0.2.1 4711 25\r\n',
  'proxy TCP4 192.0.2.7 192.0.2.1 4711 25\r\n',
  ' PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n',
  'EHLO c\r\n',
  '\r\n\r\n\0\r\nQUIT\n',
])('%j is none', (line) => {
  expect(parseProxyLine(line)).toBeUndefined();
});
