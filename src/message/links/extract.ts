import { bodiesOf, type BodyPart } from '../body-text.js';
import { decodeUnlabelled } from '../decode/charset.js';
import { readHtml } from '../decode/html-read.js';
import { startsCard, unfolded } from '../objects/property-files.js';
import { PAGES, PAGE_TYPES } from '../objects/text-kind.js';
import type { EnclosedBody, Link, LinkKind, MessageLinks, MessageObject } from '../types.js';
import { htmlLinks, type HtmlLinks } from './html.js';
import { parseTarget, type Target } from './parse.js';
import { findAddresses } from './plain.js';

/** Links of one message. */
const MAX_LINKS = 10_000;
/** Addresses that are looked at for them: the same one may stand many times. */
const MAX_ADDRESSES = 20_000;
/** Bytes of HTML attachments that are read, in all. */
const MAX_ATTACHED = 8 * 1024 * 1024;
const MAX_TEXT = 300;
/** Characters of a shortcut that are looked through for shares. */
const MAX_SHORTCUT = 64 * 1024;

/** Formats of attachments that a browser shows. */
const HTML_FORMATS: ReadonlySet<string> = new Set(['html', 'svg', 'xhtml', 'mht']);
const HTML_EXTENSIONS: ReadonlySet<string> = new Set([...PAGES, 'mht', 'mhtml']);
/** What is no page by any name. */
const NO_PAGE: ReadonlySet<string> = new Set(['executable', 'archive', 'disk-image']);
/** Small files that hold an address and open it. */
const SHORTCUTS: ReadonlySet<string> = new Set(
  (
    'url webloc desktop website inetloc fileloc library-ms search-ms searchconnector-ms iqy appinstaller application ' +
    'vsto xbap jnlp appref-ms settingcontent-ms'
  ).split(' '),
);
/** A path of a network in such a file. */
const SHARE = /(?:^|[=>\s"'])(\\\\[^\s"'<>|]{3,2000})/g;
/** Calendars and visiting cards, which programs show with the mail. */
const CARDS: ReadonlySet<string> = new Set(['ics', 'ical', 'ifb', 'vcs', 'vcf', 'vcard']);

/**
 * Links of the text parts and of attachments that a browser, a calendar or an address book would show. Linear in their
 * size.
 * @param archived texts of messages in archives
 */
export function extractLinks(
  bodies: readonly BodyPart[],
  objects: readonly MessageObject[],
  archived: readonly EnclosedBody[],
): MessageLinks {
  const collector = new LinkCollector();
  for (const body of bodies) collector.body(body, { part: body.part });
  let left = MAX_ATTACHED;
  for (const object of objects) {
    const kind = readAs(object);
    if (kind === undefined) continue;
    const bytes = object.content();
    // What cannot be opened is reported by the reader of the message.
    if (bytes === undefined) continue;
    if (bytes.length > left) collector.complete = false;
    if (left <= 0) continue;
    const text = decodeFile(bytes.subarray(0, left));
    left -= bytes.length;
    const place = { part: object.part, object: object.path };
    if (kind === 'page') collector.html(htmlLinks(readHtml(text), collector.left), place);
    else collector.text(text, place);
    if (kind === 'shortcut') collector.shares(text, place);
  }
  for (const one of archived) {
    if (one.content.length > left) collector.complete = false;
    if (left <= 0) break;
    left -= one.content.length;
    for (const body of bodiesOf([one])) collector.body(body, { part: one.part, object: one.object });
  }
  return { list: collector.list, complete: collector.complete };
}

function readAs({ type, format, extension, mime }: MessageObject): 'shortcut' | 'card' | 'page' | undefined {
  if (SHORTCUTS.has(extension)) return 'shortcut';
  if (format === 'ics' || format === 'vcf' || CARDS.has(extension)) return 'card';
  if (NO_PAGE.has(type)) return undefined;
  const isPage = HTML_FORMATS.has(format) || HTML_EXTENSIONS.has(extension) || PAGE_TYPES.has(mime);
  return isPage ? 'page' : undefined;
}

/** Text of a file that says nothing of its charset, but perhaps begins with a byte order mark. */
function decodeFile(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2, bytes.length & ~1);
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(0, bytes.length & ~1))
      .swap16()
      .toString('utf16le', 2);
  return decodeUnlabelled(bytes);
}

interface Place {
  readonly part: number;
  readonly object?: string;
}

class LinkCollector {
  readonly list: Link[] = [];
  complete = true;
  #looked = 0;
  readonly #addresses = new Map<string, Address>();

  /** Addresses that may still be looked at. */
  get left(): number {
    return this.list.length >= MAX_LINKS ? 0 : MAX_ADDRESSES - this.#looked;
  }

  body(body: BodyPart, place: Place): void {
    if (body.isHtml) this.html(htmlLinks(body.html(), this.left), place);
    else this.text(body.text, place);
  }

  text(given: string, place: Place): void {
    const text = startsCard(given) ? unfolded(given) : given;
    const found = findAddresses(text, this.left);
    if (found.length >= this.left) this.complete = false;
    for (const raw of found) this.#add(raw, 'text', raw.slice(0, MAX_TEXT), undefined, place);
  }

  shares(text: string, place: Place): void {
    for (const [, share = ''] of text.slice(0, MAX_SHORTCUT).matchAll(SHARE)) {
      if (this.left <= 0) this.complete = false;
      else this.#add(share, 'text', share.slice(0, MAX_TEXT), undefined, place);
    }
  }

  html({ links, base, cut }: HtmlLinks, place: Place): void {
    if (cut) this.complete = false;
    const from = base === undefined ? undefined : parseTarget(base)?.url;
    for (const { raw, kind, text, password } of links) this.#add(raw, kind, text, from, place, password);
  }

  #add(raw: string, kind: LinkKind, text: string, base: string | undefined, place: Place, password?: boolean): void {
    this.#looked += 1;
    const address = this.#addressOf(raw, base);
    const { target } = address;
    if (target === undefined || isKnown(address, `${kind} ${place.object ?? ''} ${text}`, password === true)) return;
    if (this.list.length >= MAX_LINKS) {
      this.complete = false;
      return;
    }
    this.list.push({
      url: target.url,
      raw: raw.length > 2048 ? raw.slice(0, 2048) : raw,
      domain: target.domain,
      text,
      kind,
      part: place.part,
      ...(place.object === undefined ? {} : { object: place.object }),
      ...(password === true ? { password } : {}),
    });
  }

  /** The same address stands in the text and the HTML of a letter: it is read once. */
  #addressOf(raw: string, base: string | undefined): Address {
    const key = base === undefined ? raw : `${base} ${raw}`;
    let address = this.#addresses.get(key);
    if (address === undefined) {
      address = { target: parseTarget(raw, base), uses: new Set() };
      this.#addresses.set(key, address);
    }
    return address;
  }
}

interface Address {
  readonly target: Target | undefined;
  /** Kinds and texts with which it is a link already. */
  readonly uses: Set<string>;
}

/** Notes the use of an address; true when it was noted before. */
function isKnown({ uses }: Address, use: string, password: boolean): boolean {
  const key = password ? `${use} *` : use;
  if (uses.has(key)) return true;
  uses.add(key);
  return false;
}
