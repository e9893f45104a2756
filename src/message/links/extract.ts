import type { BodyPart } from '../body-text.js';
import { decodeUnlabelled } from '../decode/charset.js';
import { readHtml } from '../decode/html-read.js';
import type { Link, LinkKind, MessageLinks, MessageObject } from '../types.js';
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

/** Formats of attachments that a browser shows. */
const HTML_FORMATS: ReadonlySet<string> = new Set(['html', 'svg', 'xhtml', 'mht']);
const HTML_EXTENSIONS: ReadonlySet<string> = new Set(['html', 'htm', 'shtml', 'xhtml', 'xht', 'svg', 'mht', 'mhtml']);
/** Small files that hold an address and open it. */
const SHORTCUTS: ReadonlySet<string> = new Set(['url', 'webloc', 'desktop', 'website']);

/** Links of the text parts and of attachments that a browser would show. Linear in their size. */
export function extractLinks(bodies: readonly BodyPart[], objects: readonly MessageObject[]): MessageLinks {
  const collector = new LinkCollector();
  for (const body of bodies) {
    const place = { part: body.part };
    if (body.isHtml) collector.html(htmlLinks(body.html(), collector.left), place);
    else collector.text(body.text, place);
  }
  let left = MAX_ATTACHED;
  for (const object of objects) {
    const shortcut = SHORTCUTS.has(object.extension);
    if (!shortcut && !isHtml(object)) continue;
    const bytes = object.content();
    // What cannot be opened is reported by the reader of the message.
    if (bytes === undefined) continue;
    if (bytes.length > left) collector.complete = false;
    if (left <= 0) continue;
    const text = decodeFile(bytes.subarray(0, left));
    left -= bytes.length;
    const place = { part: object.part, object: object.path };
    if (shortcut) collector.text(text, place);
    else collector.html(htmlLinks(readHtml(text), collector.left), place);
  }
  return { list: collector.list, complete: collector.complete };
}

function isHtml(object: MessageObject): boolean {
  if (object.type !== 'text' && object.type !== 'image' && object.type !== 'other' && object.type !== 'script')
    return false;
  return (
    HTML_FORMATS.has(object.format) ||
    HTML_EXTENSIONS.has(object.extension) ||
    object.mime === 'text/html' ||
    object.mime === 'application/xhtml+xml' ||
    object.mime === 'image/svg+xml'
  );
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

  text(text: string, place: Place): void {
    const found = findAddresses(text, this.left);
    if (found.length >= this.left) this.complete = false;
    for (const raw of found) this.#add(raw, 'text', raw.slice(0, MAX_TEXT), undefined, place);
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
