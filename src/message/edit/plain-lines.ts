/** Columns of a line of running text (RFC 3676 4.2 would have 72 to 78). */
const COLUMNS = 74;
/** A word that is longer is cut: no line of a message may have more than 998 bytes (RFC 5322 2.1.1). */
const MAX_WORD = 240;

/** How a text part breaks its lines (RFC 3676). */
export interface LineFormat {
  readonly flowed: boolean;
  readonly delSp: boolean;
}

export function lineFormat(params: ReadonlyMap<string, string>): LineFormat {
  const flowed = (params.get('format') ?? '').toLowerCase() === 'flowed';
  return { flowed, delSp: flowed && (params.get('delsp') ?? '').toLowerCase() === 'yes' };
}

/** A text as lines that fit into a text part, joined by CRLF, without empty lines around it. */
export function plainLines(text: string, format: LineFormat = { flowed: false, delSp: false }): string {
  const lines = text
    .replace(/\r\n?/g, '\n')
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .map((line) => line.replace(/[\t \u00a0]+$/, ''));
  return lines.map((line) => wrapped(line, format)).join('\r\n');
}

function wrapped(line: string, { flowed, delSp }: LineFormat): string {
  const rows: string[] = [];
  let row = '';
  for (const word of line.split(/(?<=[^ ]) (?=[^ ])/).flatMap(cut)) {
    if (row !== '' && row.length + 1 + word.length > COLUMNS) {
      rows.push(row);
      row = word;
    } else row = row === '' ? word : `${row} ${word}`;
  }
  rows.push(row);
  if (!flowed) return rows.join('\r\n');
  // A line that goes on ends in a space; where DelSp takes that one away, the words' own stands before it.
  const soft = delSp ? '  ' : ' ';
  return rows.map((one, i) => stuffed(one) + (i < rows.length - 1 ? soft : '')).join('\r\n');
}

/** RFC 3676 4.4. */
function stuffed(row: string): string {
  return /^(?: |>|From )/.test(row) ? ` ${row}` : row;
}

function cut(word: string): string[] {
  const pieces = Array.from(word);
  if (pieces.length <= MAX_WORD) return [word];
  const out: string[] = [];
  for (let at = 0; at < pieces.length; at += MAX_WORD) out.push(pieces.slice(at, at + MAX_WORD).join(''));
  return out;
}

/** HTML as lines of bounded length: broken at white space alone, which means nothing there. */
export function htmlLines(html: string): string {
  return html
    .replace(/\r\n?/g, '\n')
    .trim()
    .split('\n')
    .map((line) => line.replace(/(.{150}[^ ]{0,600}) +/gu, '$1\r\n').trimEnd())
    .join('\r\n');
}
