import { decodeEntities } from '../decode/entities.js';
import { readHtml, type HtmlElement, type HtmlReading } from '../decode/html-read.js';
import { attributeValue } from '../decode/html-tags.js';
import type { LinkKind } from '../types.js';
import { cssAddresses } from './css.js';
import { findAddresses } from './plain.js';

/** An address as the HTML has it. */
export interface RawLink {
  raw: string;
  kind: LinkKind;
  text: string;
  /** A form that asks for a password. */
  password?: boolean;
}

export interface HtmlLinks {
  readonly links: readonly RawLink[];
  /** Address that relative ones count from. */
  readonly base?: string;
  readonly cut: boolean;
}

/** Characters of link text that are kept. */
const MAX_TEXT = 300;
const MAX_NESTED = 2;

/** Attributes that load something when the message is shown. */
const LOADED = ['src', 'background', 'poster', 'data', 'dynsrc', 'lowsrc'] as const;
/** Elements whose `href` is loaded, not followed. */
const LOADS_HREF: ReadonlySet<string> = new Set(['link', 'image', 'use', 'feimage', 'base']);

/**
 * Addresses in an HTML text, in order: of anchors, areas, forms, images, frames, refreshes, styles and scripts, and those
 * that stand in the text itself.
 * @param max how many are looked for
 */
export function htmlLinks(reading: HtmlReading, max: number, depth = 0): HtmlLinks {
  const collector = new Collector(reading, max, depth);
  for (const element of reading.elements) {
    if (collector.full) break;
    collector.element(element);
  }
  for (const style of reading.styles) collector.css(style);
  for (const script of reading.scripts) collector.plain(script, 'script');
  collector.plain(textOutsideAnchors(reading), 'text');
  return collector.result();
}

class Collector {
  readonly #reading: HtmlReading;
  readonly #max: number;
  readonly #depth: number;
  readonly #links: RawLink[] = [];
  #base: string | undefined;
  #form: RawLink | undefined;
  #cut: boolean;

  constructor(reading: HtmlReading, max: number, depth: number) {
    this.#reading = reading;
    this.#max = max;
    this.#depth = depth;
    this.#cut = reading.cut;
  }

  get full(): boolean {
    return this.#links.length >= this.#max;
  }

  result(): HtmlLinks {
    const cut = this.#cut || this.full;
    return { links: this.#links, cut, ...(this.#base === undefined ? {} : { base: this.#base }) };
  }

  element(element: HtmlElement): void {
    const { name, attributes } = element;
    if (name === 'form') this.#openForm(element);
    else if (name === 'input') this.#input(element);
    else if (name === 'meta') this.#refresh(element);
    else if (name === 'base') this.#base ??= attributeValue(attributes, 'href');
    for (const attribute of attributes) {
      // In a page that is XML the prefix is free.
      switch (attribute.name.endsWith(':href') ? 'href' : attribute.name) {
        case 'href':
          if (name === 'base') break;
          if (LOADS_HREF.has(name)) this.#add(decodeEntities(attribute.value), 'src', '');
          else this.#add(decodeEntities(attribute.value), 'href', this.#textOf(element));
          break;
        case 'formaction':
          this.#add(decodeEntities(attribute.value), 'form', '');
          break;
        case 'ping':
          this.#add(decodeEntities(attribute.value), 'src', '');
          break;
        case 'srcset':
        case 'imagesrcset':
          for (const one of sources(decodeEntities(attribute.value))) this.#add(one, 'src', '');
          break;
        case 'style':
          this.css(decodeEntities(attribute.value));
          break;
        case 'srcdoc':
          this.#nested(decodeEntities(attribute.value));
          break;
        default:
          if ((LOADED as readonly string[]).includes(attribute.name))
            this.#add(decodeEntities(attribute.value), 'src', '');
          else if (attribute.name.startsWith('on')) this.plain(decodeEntities(attribute.value), 'script');
      }
    }
  }

  css(css: string): void {
    for (const raw of cssAddresses(css)) this.#add(raw, 'css', '');
  }

  plain(text: string, kind: LinkKind): void {
    const left = this.#max - this.#links.length;
    if (left <= 0) return;
    for (const raw of findAddresses(text, left, kind === 'text'))
      this.#add(raw, kind, kind === 'text' ? raw.slice(0, MAX_TEXT) : '');
  }

  #openForm({ attributes }: HtmlElement): void {
    const action = attributeValue(attributes, 'action');
    this.#form = action === undefined ? undefined : this.#add(action, 'form', '');
  }

  /** A password belongs to the form that was opened last. */
  #input({ attributes }: HtmlElement): void {
    const type = attributeValue(attributes, 'type')?.trim().toLowerCase();
    const field = `${attributeValue(attributes, 'name') ?? ''} ${attributeValue(attributes, 'id') ?? ''}`;
    if (this.#form !== undefined && (type === 'password' || /passw|pwd|kennwort/i.test(field)))
      this.#form.password = true;
  }

  #refresh({ attributes }: HtmlElement): void {
    if (attributeValue(attributes, 'http-equiv')?.trim().toLowerCase() !== 'refresh') return;
    const content = attributeValue(attributes, 'content')?.slice(0, 9000) ?? '';
    // HTML 4.2.5.3, shared declarative refresh steps: a number, a separator, perhaps `url =` and a quote.
    const match = /^\s{0,64}[\d.]{0,64}\s{0,64}[;,\s]\s{0,64}(?:url\s{0,64}=)?\s{0,64}(["']?)/i.exec(content);
    if (match === null) return;
    const rest = content.slice(match[0].length);
    const quote = match[1] ?? '';
    const close = quote === '' ? -1 : rest.indexOf(quote);
    this.#add(close < 0 ? rest : rest.slice(0, close), 'refresh', '');
  }

  #nested(html: string): void {
    if (this.#depth >= MAX_NESTED) {
      this.#cut = true;
      return;
    }
    const inner = htmlLinks(readHtml(html), this.#max - this.#links.length, this.#depth + 1);
    this.#links.push(...inner.links);
    if (inner.cut) this.#cut = true;
  }

  #add(raw: string, kind: LinkKind, text: string): RawLink | undefined {
    if (raw === '' || this.full) return undefined;
    const link: RawLink = { raw, kind, text };
    this.#links.push(link);
    return link;
  }

  /** What a reader sees of a link. */
  #textOf(element: HtmlElement): string {
    if (element.name === 'area') return attributeValue(element.attributes, 'alt')?.slice(0, MAX_TEXT) ?? '';
    let text = '';
    for (let index = element.from; index < element.to && text.length < 4 * MAX_TEXT; index += 1)
      text += this.#reading.pieces[index]?.slice(0, 4 * MAX_TEXT) ?? '';
    return decodeEntities(text).replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT);
  }
}

/** Candidates of a `srcset`: each an address and perhaps a width. */
function sources(srcset: string): string[] {
  return srcset
    .split(',', 100)
    .map((one) => one.trim().split(/\s/, 1)[0] ?? '')
    .filter((one) => one !== '');
}

function textOutsideAnchors({ pieces, elements }: HtmlReading): string {
  const kept: string[] = [];
  let at = 0;
  for (const { name, from, to } of elements) {
    if (name !== 'a' || to <= from || from < at) continue;
    for (; at < from; at += 1) kept.push(pieces[at] ?? '');
    // What stands on both sides of a link is no one address.
    kept.push('\n');
    at = to;
  }
  for (; at < pieces.length; at += 1) kept.push(pieces[at] ?? '');
  return decodeEntities(kept.join(''));
}
