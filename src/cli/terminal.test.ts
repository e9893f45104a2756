import { describe, expect, it } from 'vitest';
import { printable, table } from './terminal.js';

describe('tables', () => {
  it('line up, numbers to the right, long texts cut, wide characters counted', () => {
    const rows = [
      { name: 'a', size: 5, note: 'x' },
      { name: '日本', size: 12345, note: 'a rather long note that goes on' },
    ];
    expect(
      table(rows, [
        { title: 'name', value: (r) => r.name },
        { title: 'size', value: (r) => String(r.size), right: true },
        { title: 'note', value: (r) => r.note, max: 12 },
      ]),
    ).toBe(['name   size  note', 'a         5  x', '日本  12345  a rather lo…'].join('\n'));
  });

  it('keep control characters of a message off the terminal', () => {
    expect(printable('a\u001b[31mred\u202egnp\r\nb')).toBe('a[31mredgnp b');
  });
});
