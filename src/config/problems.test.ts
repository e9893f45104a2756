import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excerptOf, placeInText, underlined } from './excerpt.js';
import { formatProblem, type Problem } from './problems.js';
import { textWidth } from './text-width.js';
import { YamlSource } from './yaml-source.js';

/** The two lines under the message, without the gutter. */
function shown(line: string, column: number): readonly [string, string] {
  return underlined(excerptOf(line, column), column);
}

/** The problem with the place of a text in a line. */
function problemAt(line: string, word: string): Problem {
  const place = { file: 'rules/10.yaml', ...placeInText(line, line.indexOf(word)) };
  return { severity: 'error', place, message: 'wrong' };
}

describe('the caret of a problem', () => {
  it('stands below the place, with the number of the line before both', () => {
    expect(formatProblem(problemAt('a\nb: x\n', 'x')).split('\n')).toEqual([
      'rules/10.yaml:2:4: error: wrong',
      '  2 | b: x',
      '    |    ^',
    ]);
  });

  it.each([
    ['wide characters', '名前: X', 6],
    ['emoji, also those of several characters', '📎 👨‍👩‍👧: X', 7],
    ['combining and zero-width characters', 'Gru\u0308n\u200b: X', 6],
    ['full-width forms', 'ＩＤ： X', 7],
  ])('counts %s as a terminal shows them', (_, line, columns) => {
    const [, caret] = shown(line, line.indexOf('X') + 1);
    expect(caret).toBe(`${' '.repeat(columns)}^`);
  });

  it('keeps tabs as tabs', () => {
    expect(shown('\ta: 名\tX', 7)).toEqual(['\ta: 名\tX', '\t     \t^']);
  });

  it('shows characters that act on a terminal as dots', () => {
    const [line, caret] = shown('a\u001b[31m\u202eX', 8);
    expect(line).toBe('a·[31m·X');
    expect(caret).toBe(`${' '.repeat(7)}^`);
  });

  it('of a long line shows what stands around the place', () => {
    const [line, caret] = shown(`${'a'.repeat(500)}X${'b'.repeat(500)}`, 501);
    expect(line).toBe(`…${'a'.repeat(60)}X${'b'.repeat(59)}…`);
    expect(caret).toBe(`${' '.repeat(61)}^`);
    expect(shown(`X${'b'.repeat(500)}`, 1)).toEqual([`X${'b'.repeat(119)}…`, '^']);
    expect(shown(`${'名'.repeat(500)}X`, 501)).toEqual([`…${'名'.repeat(59)}X`, `${' '.repeat(119)}^`]);
  });

  it('is right in a line of megabytes, of a YAML file too', () => {
    const source = new YamlSource('a.yaml', `a: [${'x, '.repeat(500_000)}*, y]`);
    const [problem] = source.problems;
    const [, line = '', caret = ''] = formatProblem(problem ?? problemAt('', '')).split('\n');
    expect(line.length).toBeLessThan(140);
    expect(line[caret.indexOf('^')]).toBe('*');
  });

  it('stands below its character, in the middle of whatever text', () => {
    const unit = fc.constantFrom('a', ' ', '\t', '名', '📎', '👨‍👩‍👧', 'u\u0308', '\u200b', '\u{1f1e9}\u{1f1ea}', '\u0007');
    const text = fc.array(unit, { maxLength: 400 }).map((units) => units.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const [line, caret] = shown(`${before}X${after}`, before.length + 1);
        const at = line.indexOf('X');
        expect(at).toBeGreaterThanOrEqual(0);
        expect(line.length).toBeLessThan(2000);
        const columns = (part: string): number[] => part.split('\t').map(textWidth);
        expect(columns(caret.slice(0, -1))).toEqual(columns(line.slice(0, at)));
      }),
      { numRuns: 200 },
    );
  });
});
