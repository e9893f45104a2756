import { isSpaceCode, rawEnd, tokenEnd } from './html-tokens.js';

/** Where text can be put into an HTML document so that a browser shows it: offsets in the text that was looked at. */
export interface HtmlPlaces {
  /** Behind `<body ...>`; without one, before the first thing that is shown. */
  readonly start: number;
  /** Before the last `</body>`; without one, before `</html>`, or at the end. */
  readonly end: number;
}

/** Elements that may stand before the body without being shown. */
const HEAD: ReadonlySet<string> = new Set([
  'html',
  'head',
  'meta',
  'link',
  'base',
  'title',
  'style',
  'script',
  'bgsound',
]);
/** Elements whose content is no markup (WHATWG HTML 13.2.6.2). */
const RAW: ReadonlySet<string> = new Set([
  'title',
  'style',
  'script',
  'textarea',
  'xmp',
  'iframe',
  'noembed',
  'noframes',
  'plaintext',
]);

/**
 * Finds the places as a browser would read the document, whatever it looks like: with quoted attributes, comments, raw
 * elements, without any tag. What is opened and never closed (a comment, a tag, a script) would swallow what stands in
 * it: then the place is before it. Linear in the length of the text.
 */
export function htmlPlaces(html: string): HtmlPlaces {
  let start = 0;
  let settled = false;
  let bodyEnd = -1;
  let htmlEnd = -1;
  let at = skipSpace(html, 0);
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) break;
    if (!settled && skipSpace(html, at) < open) settled = true;
    const token = tokenEnd(html, open);
    if (token === undefined) {
      if (!settled) settled = true;
      at = open + 1;
      continue;
    }
    if (token.end < 0) return places(settled ? start : open, open, bodyEnd, htmlEnd);
    let end = token.end;
    if (!token.closing && RAW.has(token.name)) {
      end = rawEnd(html, token.name, token.end);
      if (end < 0) return places(settled ? start : open, open, bodyEnd, htmlEnd);
    }
    if (token.name === 'body') {
      if (token.closing) {
        bodyEnd = open;
        if (!settled) settled = true;
      } else if (!settled) {
        start = end;
        settled = true;
      }
    } else if (token.name === 'html' && token.closing) htmlEnd = open;
    else if (!settled) {
      if (token.name === '' || HEAD.has(token.name)) start = end;
      else if (token.name !== 'noscript') settled = true;
      else if (token.closing) start = end;
    }
    at = end;
  }
  return places(start, html.length, bodyEnd, htmlEnd);
}

function places(start: number, end: number, bodyEnd: number, htmlEnd: number): HtmlPlaces {
  // What stands behind a closing tag is shown all the same, and must not push our text out of the middle.
  const closing = bodyEnd >= 0 ? bodyEnd : htmlEnd;
  const tail = closing >= 0 ? closing : end;
  return { start, end: Math.max(start, tail) };
}

function skipSpace(html: string, from: number): number {
  let at = from;
  while (at < html.length && isSpaceCode(html.charCodeAt(at))) at += 1;
  return at;
}
