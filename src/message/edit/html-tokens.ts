/** A tag, comment or declaration. */
export interface HtmlToken {
  /** In lower case; empty for comments and declarations. */
  readonly name: string;
  readonly closing: boolean;
  /** Behind it; -1 when it never ends. */
  readonly end: number;
}

/** The token at a "<" as browsers read it (WHATWG HTML 13.2.5); undefined where it is plain text. */
export function tokenEnd(html: string, open: number): HtmlToken | undefined {
  const next = html.charCodeAt(open + 1);
  if (next === 0x21) return { name: '', closing: false, end: declarationEnd(html, open) };
  if (next === 0x3f) return { name: '', closing: false, end: behind(html, '>', open + 2) };
  const closing = next === 0x2f;
  const first = open + (closing ? 2 : 1);
  if (!isLetter(html.charCodeAt(first)))
    return closing && first < html.length ? { name: '', closing: false, end: behind(html, '>', first) } : undefined;
  let at = first;
  while (at < html.length && !isSpaceCode(html.charCodeAt(at)) && html[at] !== '/' && html[at] !== '>') at += 1;
  return { name: html.slice(first, Math.min(at, first + 32)).toLowerCase(), closing, end: tagEnd(html, at) };
}

/** Behind the end tag of an element whose content is no markup; -1 when it has none. */
export function rawEnd(html: string, name: string, from: number): number {
  if (name === 'plaintext') return -1;
  for (let at = html.indexOf('</', from); at >= 0; at = html.indexOf('</', at + 2)) {
    const end = at + 2 + name.length;
    const behindName = html[end];
    if (behindName !== '>' && behindName !== '/' && !isSpaceCode(html.charCodeAt(end))) continue;
    if (html.slice(at + 2, end).toLowerCase() === name) return tagEnd(html, end);
  }
  return -1;
}

export function isSpaceCode(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09 || code === 0x0c;
}

/** A ">" in a quoted value does not end a tag; a quote elsewhere than at the start of a value means nothing. */
function tagEnd(html: string, from: number): number {
  let at = from;
  while (at < html.length) {
    const char = html[at];
    if (char === '>') return at + 1;
    if (char !== '=') {
      at += 1;
      continue;
    }
    at += 1;
    while (at < html.length && isSpaceCode(html.charCodeAt(at))) at += 1;
    const quote = html[at];
    if (quote !== '"' && quote !== "'") continue;
    const close = html.indexOf(quote, at + 1);
    if (close < 0) return -1;
    at = close + 1;
  }
  return -1;
}

/** Comments end at `-->` or `--!>`, `<!-->` and `<!--->` are whole ones; other declarations end at ">". */
function declarationEnd(html: string, open: number): number {
  if (!html.startsWith('--', open + 2)) return behind(html, '>', open + 2);
  if (html[open + 4] === '>') return open + 5;
  if (html.startsWith('->', open + 4)) return open + 6;
  const end = /--!?>/g;
  end.lastIndex = open + 4;
  return end.test(html) ? end.lastIndex : -1;
}

function behind(html: string, what: string, from: number): number {
  const at = html.indexOf(what, from);
  return at < 0 ? -1 : at + what.length;
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}
