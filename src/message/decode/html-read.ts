import { readAttributes, TagReader, type Attribute } from './html-tags.js';

/** Elements whose content nobody reads. What stands in `noscript` is seen where no scripts run, as in mail. */
const HIDDEN: ReadonlySet<string> = new Set(['script', 'style', 'title', 'template', 'textarea', 'xmp']);
/** Elements that start and end a line. */
const BLOCKS: ReadonlySet<string> = new Set(
  (
    'address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 head ' +
    'header hr html li main nav ol p pre section table tbody tfoot thead tr ul option'
  ).split(' '),
);
/** In these only a script hides what stands in it: tags in a style or a title are tags (WHATWG HTML 13.2.6.5). */
const FOREIGN: ReadonlySet<string> = new Set(['svg', 'math']);
const CELLS: ReadonlySet<string> = new Set(['td', 'th']);
/** Elements that are kept whatever their attributes are. */
const KEPT: ReadonlySet<string> = new Set(['a', 'area', 'base', 'form', 'input', 'meta']);
/** What an address in an attribute of any other element stands behind; `&` and `\` may spell it otherwise. */
const ADDRESS = /href|src|action|background|poster|data|url\s*\(|:\/\/|[&\\]/i;

/** Elements that are kept of one text; a newsletter has some hundreds. */
const MAX_ELEMENTS = 50_000;
/** Characters of scripts and style sheets that are kept. */
const MAX_CODE = 1024 * 1024;

/** An element that bears or may bear an address. */
export interface HtmlElement {
  /** In lower case. */
  readonly name: string;
  readonly attributes: readonly Attribute[];
  /** Of an `a`: the pieces of text in it, as indices into `pieces`. */
  readonly from: number;
  to: number;
}

/** What one pass over an HTML text yields: its text, and what links are made of. */
export interface HtmlReading {
  /** Text between tags, white space as one blank, references not decoded; blocks are line feeds, cells tabs. */
  readonly pieces: readonly string[];
  readonly elements: readonly HtmlElement[];
  readonly scripts: readonly string[];
  readonly styles: readonly string[];
  /** A bound was passed: not all elements and scripts are there. */
  readonly cut: boolean;
}

/** Reads an HTML text once, in linear time, whatever it is. */
export function readHtml(html: string): HtmlReading {
  const reader = new TagReader(html);
  const pieces: string[] = [];
  const elements: HtmlElement[] = [];
  const code = { script: [] as string[], style: [] as string[] };
  let codeLeft = MAX_CODE;
  let cut = false;
  let anchor: HtmlElement | undefined;
  let foreign = false;
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    const stop = open < 0 ? html.length : open;
    if (stop > at) pieces.push(html.slice(at, stop).replace(/ \s+|[^\S ]\s*/g, ' '));
    if (open < 0) break;
    const tag = reader.at(open);
    if (tag === undefined) {
      pieces.push('<');
      at = open + 1;
      continue;
    }
    at = tag.end;
    const { name } = tag;
    if (name === '') continue;
    if (name === 'a' && anchor !== undefined) {
      // An anchor ends at its end tag, and where another one begins.
      anchor.to = pieces.length;
      anchor = undefined;
    }
    if (FOREIGN.has(name)) foreign = !tag.closing;
    if (BLOCKS.has(name)) pieces.push('\n');
    else if (!tag.closing && CELLS.has(name)) pieces.push('\t');
    if (tag.closing) continue;
    if (KEPT.has(name) || (tag.mayLead && ADDRESS.test(html.slice(tag.attributes, tag.end)))) {
      if (elements.length >= MAX_ELEMENTS) cut = true;
      else {
        const element = { name, attributes: readAttributes(html, tag), from: pieces.length, to: pieces.length };
        elements.push(element);
        if (name === 'a') anchor = element;
      }
    }
    if (!HIDDEN.has(name) || (foreign && name !== 'script' && holdsTags(html, at, name))) continue;
    const end = reader.closingTag(name, at);
    // Without its end tag a hidden element would swallow the rest: better to read too much.
    if (end < 0) continue;
    if (name === 'script' || name === 'style') {
      if (end - at > codeLeft) cut = true;
      else if (end > at) {
        code[name].push(html.slice(at, end));
        codeLeft -= end - at;
      }
    }
    at = end;
  }
  if (anchor !== undefined) anchor.to = pieces.length;
  return { pieces, elements, scripts: code.script, styles: code.style, cut };
}

/** Whether the next tag is another one than the end tag of the element. */
function holdsTags(html: string, from: number, name: string): boolean {
  const next = html.indexOf('<', from) + 2;
  return html.slice(next, next + name.length).toLowerCase() !== name;
}
