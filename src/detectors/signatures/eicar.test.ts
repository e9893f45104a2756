import { describe, expect, it } from 'vitest';
import { EICAR, isEicar, isEicarText } from './eicar.js';

describe('the EICAR test file', () => {
  it('is the 68 characters of the standard', () => {
    expect(EICAR.length).toBe(68);
    expect(EICAR.toString('latin1')).toMatch(/^X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-.*-FILE!\$H\+H\*$/);
  });

  it.each(['', '\n', '\r\n', ' \t\r\n', '\x1a', ' '.repeat(60)])('is found with %j behind it', (tail) => {
    expect(isEicar(Buffer.concat([EICAR, Buffer.from(tail)]))).toBe(true);
  });

  it.each([
    ['something in front', ' ', ''],
    ['a word behind it', '', '\nHello'],
    ['more than 128 bytes', '', ' '.repeat(61)],
  ])('is not found with %s', (_, head, tail) => {
    expect(isEicar(Buffer.concat([Buffer.from(head), EICAR, Buffer.from(tail)]))).toBe(false);
  });

  it('is not found when a character is missing', () => {
    expect(isEicar(EICAR.subarray(0, 67))).toBe(false);
    expect(isEicar(Buffer.concat([EICAR.subarray(0, 67), Buffer.from('+')]))).toBe(false);
  });

  it('may stand between blank lines in the text of a mail', () => {
    const spaced = Buffer.concat([Buffer.from('\r\n\r\n'), EICAR, Buffer.from('\r\n'.repeat(200))]);
    expect(isEicarText(spaced)).toBe(true);
    expect(isEicarText(Buffer.concat([Buffer.from('See: '), EICAR]))).toBe(false);
    expect(isEicarText(Buffer.alloc(0))).toBe(false);
  });
});
