import { styleText } from 'node:util';
import { escapeActing, withoutActing } from '../config/acting-characters.js';
import { textWidth } from '../config/text-width.js';

type Style = Parameters<typeof styleText>[0];

/** Colours only on a terminal, and not where NO_COLOR asks for none. */
export function hasColours(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY && (process.env['NO_COLOR'] ?? '') === '' && stream.hasColors();
}

export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return hasColours(stream) ? styleText(style, text, { validateStream: false }) : text;
}

/** Whatever is printed passes here or through `err`: nothing but our own colours acts on the terminal. */
export function out(text = ''): void {
  process.stdout.write(`${withoutActing(text, hasColours())}\n`);
}

export function err(text: string): void {
  process.stderr.write(`${withoutActing(text, hasColours(process.stderr))}\n`);
}

/** JSON for scripts: indented, one value. */
export function json(value: unknown): void {
  process.stdout.write(`${jsonText(value)}\n`);
}

/** The same, to be written piece by piece. @param indent spaces; 0 for one line */
export function jsonText(value: unknown, indent = 2): string {
  return escapeActing(JSON.stringify(value, null, indent));
}

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  /** Cut longer texts to this many characters. */
  readonly max?: number;
}

/** A table whose columns line up; the last one is never padded. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = rows.map((row) => columns.map((column) => cut(printable(column.value(row)), column.max)));
  const widths = columns.map((column, i) =>
    Math.max(textWidth(column.title), ...cells.map((line) => textWidth(line[i] ?? ''))),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => {
        const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - textWidth(text)));
        return columns[i]?.right === true ? space + text : i === texts.length - 1 ? text : text + space;
      })
      .join('  ')
      .trimEnd();
  return [paint('bold', line(columns.map((c) => c.title))), ...cells.map(line)].join('\n');
}

/** Text from a message as it may stand on a terminal: control and direction characters are taken out. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (c) => (c === '\n' || c === '\t' ? ' ' : ''));
}

function cut(text: string, max: number | undefined): string {
  const characters = Array.from(text);
  return max === undefined || characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}
