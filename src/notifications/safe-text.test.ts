import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuTime } from '../../test/support/cpu-time.js';
import { defang, isolated, oneLine, headerSafe } from './safe-text.js';

describe('one line', () => {
  it.each([
    ['a\r\nBcc: x@y', 'a Bcc: x@y'],
    ['a\u2028b\u0085c\vd', 'a b c d'],
    ['nul\0 bell\u0007 del\u007f', 'nul bell del'],
    ['zero\u200bwidth\ufeff', 'zerowidth'],
    ['lone \ud800 half', 'lone \ufffd half'],
    ['broken \ufffd stays', 'broken \ufffd stays'],
    ['😀'.repeat(20), `${'😀'.repeat(9)}…`],
  ])('%j', (input, expected) => {
    expect(oneLine(input, 10).slice(0, 40)).toBe(oneLine(expected, 10));
    expect(oneLine(input, 100)).toBe(input.startsWith('😀') ? input : expected);
  });

  it('never holds a control character and never passes its bound', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 2, max: 50 }), (text, bound) => {
        const line = oneLine(text, bound);
        expect(line).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        expect(Array.from(line).length).toBeLessThanOrEqual(bound);
      }),
    );
  });
});

describe('direction', () => {
  it('a value cannot turn what stands around it', () => {
    expect(isolated('invoice\u202efdp.exe')).toBe('\u2068invoice\u202efdp.exe\u2069');
    expect(isolated('שלום')).toBe('\u2068שלום\u2069');
    expect(isolated('a\u2069\u202eb')).toBe('\u2068a\u202eb\u2069');
    expect(isolated('plain Grüße')).toBe('plain Grüße');
  });

  it('in a header field there is no such character', () => {
    expect(headerSafe('a\u202eb\u2066c\u200ed\u061ce')).toBe('abcde');
    expect(headerSafe('=?utf-8?q?x?=')).toBe('= ?utf-8?q?x?=');
  });
});

describe('links', () => {
  it.each([
    ['see https://example.com/a.b', 'see hxxps://example[.]com/a.b'],
    ['HTTP://Example.COM', 'HxxP://Example[.]COM'],
    ['ftp://files.example.org/x', 'fxp://files[.]example[.]org/x'],
    ['www.example.com now', 'www[.]example[.]com now'],
    ['go to evil.example/login', 'go to evil[.]example/login'],
    ['https://user:pw@evil.example?x=1', 'hxxps://user:pw@evil[.]example?x=1'],
    ['Report 3.5 of invoice.pdf', 'Report 3.5 of invoice.pdf'],
    ['mail a@example.com', 'mail a@example.com'],
    ['a@www.example.com', 'a@www.example.com'],
  ])('%s', (text, expected) => {
    expect(defang(text)).toBe(expected);
    expect(defang(expected)).toBe(expected);
  });

  it('is fast on hostile text', () => {
    const start = cpuTime();
    defang('a.'.repeat(20_000));
    defang('a-'.repeat(20_000));
    defang('www.'.repeat(20_000));
    expect(cpuTime() - start).toBeLessThan(1000);
  });
});
