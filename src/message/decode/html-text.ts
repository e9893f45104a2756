import { decodeEntities } from './entities.js';

/** Elements whose content nobody reads. */
const HIDDEN: ReadonlySet<string> = new Set(['script', 'style', 'title', 'template', 'noscript', 'textarea', 'xmp']);
/** Elements that start and end a line. */
const BLOCKS: ReadonlySet<string> = new Set(
  (
    'address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 head ' +
    'header hr html li main nav ol p pre section table tbody tfoot thead tr ul option'
  ).split(' '),
);
const CELLS: ReadonlySet<string> = new Set(['td', 'th']);

/**
 * The text that a reader of an HTML body sees, roughly: tags, comments, scripts and styles are dropped, blocks become
 * lines, references become characters. One pass, linear, for any input.
 */
export function htmlToText(html: string): string {
  const out: string[] = [];
  // What was looked for in vain once is not looked for again: that keeps hostile input linear.
  const missing = new Set<string>();
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    const stop = open < 0 ? html.length : open;
    if (stop > at) out.push(html.slice(at, stop).replace(/\s+/g, ' '));
    if (open < 0) break;
    const tag = tagAt(html, open, missing);
    if (tag === undefined) {
      out.push('<');
      at = open + 1;
      continue;
    }
    if (BLOCKS.has(tag.name)) out.push('\n');
    else if (!tag.closing && CELLS.has(tag.name)) out.push('\t');
    at = tag.end;
    if (!tag.closing && HIDDEN.has(tag.name)) {
      const end = endOf(html, tag.name, at, missing);
      // Without its end tag a hidden element would swallow the rest: better to read too much.
      if (end >= 0) at = end;
    }
  }
  return tidy(decodeEntities(out.join('')));
}

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly end: number;
}

/** The tag, comment or declaration at a "<", or undefined when that is plain text. */
function tagAt(html: string, open: number, missing: Set<string>): Tag | undefined {
  if (html.startsWith('<!--', open)) {
    const end = missing.has('-->') ? -1 : html.indexOf('-->', open + 4);
    if (end < 0) missing.add('-->');
    return { name: '', closing: false, end: end < 0 ? nextOr(html, '>', open) : end + 3 };
  }
  const next = html.charCodeAt(open + 1);
  if (next === 0x21 || next === 0x3f) return { name: '', closing: false, end: nextOr(html, '>', open) };
  const closing = next === 0x2f;
  let at = open + (closing ? 2 : 1);
  const start = at;
  while (at < html.length && at - start < 32 && isLetterOrDigit(html.charCodeAt(at))) at += 1;
  if (at === start) return undefined;
  return { name: html.slice(start, at).toLowerCase(), closing, end: tagEnd(html, at) };
}

/** Position behind the ">" of a tag; one inside a quoted attribute value does not count. */
function tagEnd(html: string, from: number): number {
  let quote = 0;
  let afterEquals = false;
  for (let at = from; at < html.length; at += 1) {
    const code = html.charCodeAt(at);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === 0x3e) {
      return at + 1;
    } else if ((code === 0x22 || code === 0x27) && afterEquals) {
      quote = code;
      afterEquals = false;
    } else if (code === 0x3d) {
      afterEquals = true;
    } else if (code > 0x20) {
      afterEquals = false;
    }
  }
  // The quote has no end: browsers would read on to the end of the text; the tag is cut at the first ">" instead.
  return quote === 0 ? html.length : nextOr(html, '>', from);
}

function nextOr(html: string, char: string, from: number): number {
  const found = html.indexOf(char, from);
  return found < 0 ? html.length : found + 1;
}

function endOf(html: string, name: string, from: number, missing: Set<string>): number {
  if (missing.has(name)) return -1;
  const pattern = new RegExp(`</${name}[\\s/>]`, 'gi');
  pattern.lastIndex = from;
  const hit = pattern.exec(html);
  if (hit === null) missing.add(name);
  return hit === null ? -1 : hit.index;
}

function isLetterOrDigit(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x3a ||
    code === 0x2d
  );
}

/** No white space around line ends, no runs of empty lines. */
function tidy(text: string): string {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '' || lines.at(-1) !== '') lines.push(trimmed);
  }
  return lines.join('\n').trim();
}
