import { glyphsOf, textWidth, type Glyph } from './text-width.js';

/** Columns of a terminal that an excerpt may take; rule files that people write have shorter lines. */
const MAX_WIDTH = 120;
/** UTF-16 units that are looked at to each side of a place: a line may have megabytes. */
const REACH = 4 * MAX_WIDTH;
const ELLIPSIS = '…';

/** The part of a line that is shown with a problem. */
export interface Excerpt {
  readonly excerpt: string;
  /** Column of the place within the excerpt, where it is another one than within the line. */
  readonly excerptColumn?: number;
}

/**
 * A line around a place; what is cut off is an ellipsis.
 * @param line without its end
 * @param column of the place, from 1, in UTF-16 units
 */
export function excerptOf(line: string, column: number): Excerpt {
  if (line.length <= REACH && widthWithTabs(line) <= MAX_WIDTH) return { excerpt: line };
  const at = Math.min(Math.max(column - 1, 0), line.length);
  const from = Math.max(0, at - REACH);
  const to = Math.min(line.length, at + REACH);
  const before = glyphsOf(line.slice(from, at).replace(/^[\udc00-\udfff]/, ''));
  const after = glyphsOf(line.slice(at, to).replace(/[\ud800-\udbff]$/, ''));
  // Room that one side does not need is the other's.
  const half = MAX_WIDTH / 2;
  const left = last(before, Math.max(half, MAX_WIDTH - sum(after)));
  const right = first(after, Math.max(half, MAX_WIDTH - sum(before)));
  const head = (from > 0 || left.length < before.length ? ELLIPSIS : '') + join(left);
  const tail = join(right) + (to < line.length || right.length < after.length ? ELLIPSIS : '');
  return { excerpt: head + tail, ...(head.length === at ? {} : { excerptColumn: head.length + 1 }) };
}

/**
 * The line of a text in which an offset stands.
 * @returns line and column from 1 on, with the excerpt
 */
export function placeInText(
  text: string,
  offset: number,
): Excerpt & { readonly line: number; readonly column: number } {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', start);
  let line = 1;
  for (let i = text.indexOf('\n'); i >= 0 && i < start; i = text.indexOf('\n', i + 1)) line++;
  const column = offset - start + 1;
  return { line, column, ...excerptOf(text.slice(start, end < 0 ? undefined : end).replace(/\r$/, ''), column) };
}

/**
 * Two lines for a terminal: the excerpt, and a caret below the place. Tabs stay tabs in both. Control characters and
 * those that turn the direction of what follows would act on the terminal: a dot stands for each.
 */
export function underlined({ excerpt, excerptColumn }: Excerpt, column: number): readonly [string, string] {
  const shown = excerpt.replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (c) =>
    c === '\t' ? c : '·',
  );
  const before = shown.slice(0, (excerptColumn ?? column) - 1);
  const indent = before.split('\t').map((part) => ' '.repeat(textWidth(part)));
  return [shown, `${indent.join('\t')}^`];
}

/** A tab counts as the most that it can take. */
function widthWithTabs(text: string): number {
  return text.includes('\t') ? textWidth(text.replaceAll('\t', ' '.repeat(8))) : textWidth(text);
}

function sum(glyphs: readonly Glyph[]): number {
  return glyphs.reduce((columns, { width }) => columns + width, 0);
}

function join(glyphs: readonly Glyph[]): string {
  return glyphs.map(({ text }) => text).join('');
}

/** The first of them that fit. */
function first(glyphs: readonly Glyph[], room: number): Glyph[] {
  let columns = 0;
  const end = glyphs.findIndex(({ width }) => (columns += width) > room);
  return end < 0 ? [...glyphs] : glyphs.slice(0, end);
}

function last(glyphs: readonly Glyph[], room: number): Glyph[] {
  return first(glyphs.toReversed(), room).reverse();
}
