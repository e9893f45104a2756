import { decodeRaw, rawValue } from '../decode/header-text.js';
import { decodeWords } from '../decode/words.js';
import type { HeaderField } from '../types.js';
import { decodeExtended, extendedParams, percentDecode } from './extended-params.js';
import type { Parameter, ParsedValue } from './parameters.js';

/** Names of one part that are looked at. */
const MAX_NAMES = 12;
const NAME_PARAMS: ReadonlySet<string> = new Set(['name', 'filename']);

/** Collects the names by which one reader or another shows a part, each once. */
export class FileNames {
  readonly #names: string[] = [];

  get all(): readonly string[] {
    return this.#names;
  }

  add(name: string): void {
    if (name !== '' && this.#names.length < MAX_NAMES && !this.#names.includes(name)) this.#names.push(name);
  }

  /** Every name that a Content-Type or Content-Disposition field holds, under either parameter and in any form. */
  addField(parsed: ParsedValue): void {
    let extended = false;
    for (const param of parsed.params) {
      if (NAME_PARAMS.has(param.name)) this.#addPlain(param);
      else if (param.name.startsWith('name*') || param.name.startsWith('filename*')) extended = true;
    }
    if (!extended) return;
    for (const [base, segments] of extendedParams(parsed.params)) {
      if (!NAME_PARAMS.has(base)) continue;
      for (const name of decodeExtended(segments)) {
        this.add(name);
        this.#addVariants(name);
      }
    }
  }

  /** What readers make of a name that decode it once more, or more than they should. */
  #addVariants(name: string): void {
    if (/%[0-9a-f]{2}/i.test(name)) this.add(decodeWords(decodeRaw(percentDecode(name))));
    if (!name.includes('=?')) return;
    this.add(decodeWords(name));
    // Words of base64 that were cut anywhere: some readers put them together before they decode.
    if (/\?=\s*=\?[^?]{1,64}\?b\?/i.test(name)) this.add(decodeWords(name.replace(/\?=\s*=\?[^?]{1,64}\?b\?/gi, '')));
    // A word that was cut off.
    if (/=\?[^?]{1,64}\?[bq]\?[^?]*$/i.test(name)) this.add(decodeWords(`${name}?=`));
  }

  #addPlain({ value, also }: Parameter): void {
    for (const one of also === undefined ? [value] : [value, also]) {
      const name = decodeWords(decodeRaw(one));
      this.add(name);
      this.#addVariants(one);
      if (name !== one) this.#addVariants(name);
      // A fold inside the extension leaves white space that some readers drop.
      if (/\.\w{0,4}\s+\w{1,4}\s*$/.test(one)) this.add(decodeWords(decodeRaw(one.replace(/\s+/g, ''))));
    }
  }
}

/**
 * Names that some readers fall back to where neither field gives one: Content-Name, Content-Description,
 * Content-Location. Texts without an extension are no names.
 */
export function fallbackNames(bytes: Buffer, fields: readonly HeaderField[]): readonly string[] {
  const names = new FileNames();
  for (const { key, value } of fields) {
    if (key === 'content-name' || key === 'content-description') addFileName(names, decodeField(bytes, value));
    else if (key === 'content-location') {
      const path = decodeField(bytes, value).replace(/[?#].*$/s, '');
      addFileName(names, path.slice(path.lastIndexOf('/') + 1));
    }
  }
  return names.all;
}

function decodeField(bytes: Buffer, value: HeaderField['value']): string {
  return decodeWords(decodeRaw(rawValue(bytes, value))).replace(/^"(.*)"$/s, '$1');
}

function addFileName(names: FileNames, text: string): void {
  if (text.length <= 255 && /\.[a-z0-9_-]{1,12}$/i.test(text)) names.add(text);
}
