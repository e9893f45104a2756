const TOKENS = /<!--[\s\S]*?(?:-->|$)|<![a-z][^>]*>|<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>|([^<]+)|</gi;
const PARAGRAPHS = new Set(['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'table', 'blockquote', 'hr']);
const LINES = new Set(['div', 'br', 'li', 'tr', 'body', 'html']);
const UNSEEN = new Set(['head', 'style', 'script', 'title']);
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  mdash: '—',
  ndash: '–',
  hellip: '…',
  middot: '·',
  bull: '•',
  copy: '©',
};

/**
 * The text part of a mail, made from the HTML of a template: paragraphs, lists, tables (a row of two cells reads
 * `label: value`), links with their address behind them.
 */
export function htmlToText(html: string): string {
  const writer = new TextWriter();
  let unseen = '';
  for (const [whole, slash, tag, attributes, text] of html.matchAll(TOKENS)) {
    const name = tag?.toLowerCase() ?? '';
    if (unseen !== '') {
      if (slash === '/' && name === unseen) unseen = '';
    } else if (name === '') {
      if (!whole.startsWith('<!')) writer.text(decodeEntities(text ?? whole));
    } else if (UNSEEN.has(name)) {
      if (slash !== '/') unseen = name;
    } else writer.tag(name, slash === '/', attributes ?? '');
  }
  return writer.end();
}

/** One cell of a table, or the whole. */
interface Frame {
  text: string;
  readonly cells: string[];
}

class TextWriter {
  private frames: Frame[] = [{ text: '', cells: [] }];
  private links: { readonly href: string; readonly start: number; readonly depth: number }[] = [];

  text(text: string): void {
    const frame = this.top();
    const collapsed = text.replace(/[ \t\r\n]+/g, ' ');
    frame.text += /(^|\s)$/.test(frame.text.slice(-1)) ? collapsed.replace(/^ /, '') : collapsed;
  }

  tag(name: string, closing: boolean, attributes: string): void {
    if (name === 'a') this.link(closing, attributes);
    else if (name === 'td' || name === 'th') this.cell(closing);
    else {
      if (PARAGRAPHS.has(name)) this.breakLine(2);
      else if (LINES.has(name) && !(name === 'br' && closing)) this.breakLine(1, name === 'br');
      if (name === 'li' && !closing) this.top().text += '- ';
      if (name === 'hr') this.top().text += '--\n\n';
      if (name === 'tr') this.row(closing);
    }
  }

  end(): string {
    while (this.frames.length > 1) this.cell(true);
    this.row(true);
    return `${tidy(this.top().text)}\n`;
  }

  private top(): Frame {
    const frame = this.frames.at(-1);
    if (frame !== undefined) return frame;
    const fresh: Frame = { text: '', cells: [] };
    this.frames = [fresh];
    return fresh;
  }

  private cell(closing: boolean): void {
    if (!closing) {
      this.frames.push({ text: '', cells: [] });
      return;
    }
    if (this.frames.length === 1) return;
    this.row(true);
    const cell = this.frames.pop();
    if (cell !== undefined) this.top().cells.push(tidy(cell.text));
  }

  private row(closing: boolean): void {
    if (!closing) return;
    const frame = this.top();
    const cells = frame.cells.splice(0).filter((cell) => cell !== '');
    if (cells.length === 0) return;
    const [label = '', value = ''] = cells;
    const short = cells.length === 2 && !label.includes('\n');
    const separator = cells.some((cell) => cell.includes('\n')) ? '\n' : ' | ';
    frame.text += short ? `${label.replace(/:$/, '')}: ${value}` : cells.join(separator);
    this.breakLine(1);
  }

  private breakLine(lines: number, forced = false): void {
    const frame = this.top();
    const bare = frame.text.slice(0, endWithout(frame.text, ' '));
    const there = bare.length - endWithout(bare, '\n');
    frame.text = bare === '' ? '' : bare + '\n'.repeat(forced ? 1 : Math.max(0, lines - there));
  }

  private link(closing: boolean, attributes: string): void {
    if (!closing) {
      const href = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(attributes);
      const target = decodeEntities(href?.[1] ?? href?.[2] ?? '');
      this.links.push({ href: target, start: this.top().text.length, depth: this.frames.length });
      return;
    }
    const link = this.links.pop();
    if (link?.depth !== this.frames.length || !/^(https?|mailto):/i.test(link.href)) return;
    const frame = this.top();
    const target = link.href.replace(/^mailto:/i, '');
    if (frame.text.slice(link.start).trim() !== target) frame.text += ` (${target})`;
  }
}

/** Length of the text without this character at its end. A regular expression would look at the whole text. */
function endWithout(text: string, character: string): number {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return end;
}

function tidy(text: string): string {
  return text
    .replace(/[ \t]+\n/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}
