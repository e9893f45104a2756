import { describe, expect, it } from 'vitest';
import { canonicalAddress, networkSet, parseNetwork } from './networks.js';
import { nearest } from './suggest.js';
import { formatSize, parseDuration, parseSize } from './units.js';

describe('units', () => {
  it('reads spans of time', () => {
    expect(['90s', '15m', '4h', '3d', '250ms', '1.5h', '0'].map(parseDuration)).toEqual([
      90e3, 900e3, 14.4e6, 259.2e6, 250, 5.4e6, 0,
    ]);
    expect(['', 's', '5', '-1s', '5 weeks', '1e3s'].map(parseDuration)).toEqual(Array(6).fill(undefined));
  });

  it('reads sizes: KB is decimal, KiB binary', () => {
    expect(['25MB', '50MiB', '1024', '1 GB', '1.5KiB', '7gb'].map(parseSize)).toEqual([
      25e6, 52428800, 1024, 1e9, 1536, 7e9,
    ]);
    expect(['', 'MB', '-5', '5XB'].map(parseSize)).toEqual(Array(4).fill(undefined));
  });

  it('writes sizes for people', () => {
    expect([0, 999, 1000, 1234567, 52428800, 7e9].map(formatSize)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.2 MB',
      '52 MB',
      '7.0 GB',
    ]);
  });
});

describe('suggestions', () => {
  it('finds the nearest word, and none for something else', () => {
    expect(nearest('recipent', ['sender', 'recipient'])).toBe('recipient');
    expect(nearest('discrad', ['discard', 'deliver'])).toBe('discard');
    expect(nearest('banana', ['discard', 'deliver'])).toBeUndefined();
  });
});

describe('networks', () => {
  it('knows members, IPv4-mapped clients among them', () => {
    const set = networkSet(['127.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']);
    expect(['127.9.9.9', '::ffff:127.0.0.1', '192.0.2.7', '2001:db8:1::5', '::1'].every((a) => set.has(a))).toBe(true);
    expect(['128.0.0.1', '192.0.2.8', '2001:db9::1', 'nonsense', ''].some((a) => set.has(a))).toBe(false);
  });

  it('takes all of IPv4 or all of IPv6', () => {
    expect(networkSet(['0.0.0.0/0']).has('203.0.113.1')).toBe(true);
    expect(networkSet(['0.0.0.0/0']).has('2001:db8::1')).toBe(false);
    expect(networkSet(['::/0']).has('2001:db8::1')).toBe(true);
  });

  it.each([
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0/33',
    '10.0.0.1/24',
    '0x7f.1',
    '10.0.0.0/8/8',
    'host.example',
    '2001:db8::1/32',
  ])('refuses %s', (text) => {
    expect(parseNetwork(text)).toHaveProperty('error');
  });

  it('writes addresses in one form', () => {
    expect(canonicalAddress('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(canonicalAddress('IPv6:2001:DB8:0:0::1')).toBe('2001:db8::1');
    expect(canonicalAddress('192.0.2.01')).toBeUndefined();
  });
});
