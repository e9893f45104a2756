import { describe, expect, it } from 'vitest';
import { textWidth } from './text-width.js';

describe('columns that a text takes on a terminal', () => {
  it.each([
    ['', 0],
    ['rule', 4],
    ['grün', 4],
    ['gru\u0308n', 4],
    ['規則', 4],
    ['ﾊﾝｶｸ', 4],
    ['ＡＢ', 4],
    ['한국', 4],
    ['\u1112\u1161\u11ab', 2],
    ['a\u200bb\u200d\ufeffc', 3],
    ['📎', 2],
    ['👨‍👩‍👧', 2],
    ['👍🏽', 2],
    ['🇩🇪', 2],
    ['❤\ufe0f', 2],
    ['☺', 1],
    ['а', 1],
    ['\u0001', 0],
  ])('%j: %i', (text, columns) => {
    expect(textWidth(text)).toBe(columns);
  });
});
