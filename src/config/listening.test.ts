import { expect, it } from 'vitest';
import { cannotListen, shownAddress } from './listening.js';

it.each([
  [{ host: '127.0.0.1', port: 2525 }, '127.0.0.1:2525'],
  [{ host: '::1', port: 2525, implicitTls: false }, '[::1]:2525'],
  [{ host: '0.0.0.0', port: 465, implicitTls: true }, 'tls://0.0.0.0:465'],
  [{ host: '2001:db8::1', port: 465, implicitTls: true }, 'tls://[2001:db8::1]:465'],
])('writes an address as the configuration does: %o', (address, shown) => {
  expect(shownAddress(address)).toBe(shown);
});

it.each([
  ['EACCES', 25, /^cannot listen on \[::1\]:25: ports below 1024 need a right .* or choose another port$/],
  ['EACCES', 1023, /: ports below 1024/],
  ['EACCES', 1024, /: this user has no right to it$/],
  ['EADDRINUSE', 25, /: another program listens there already$/],
  ['EADDRNOTAVAIL', 25, /: this machine has no such address; 0\.0\.0\.0 stands for all/],
  ['ENOTFOUND', 25, /: the host name is not known; write an IP address$/],
  ['EOTHER', 25, /: what the system says$/],
])('says why it cannot listen: %s, port %d', (code, port, message) => {
  const error = Object.assign(new Error('what the system says'), { code });
  expect(cannotListen({ host: '::1', port }, error)).toMatch(message);
});
