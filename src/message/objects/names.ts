import { isPlain, withoutTricks } from '../trick-characters.js';

/** Longer names are cut in paths. */
const MAX_SEGMENT = 255;

/** Longer base names are looked at by their end. */
const MAX_BASE = 1024;

/** C0, C1, bidirectional and other invisible characters, lone surrogates: they would make a path lie to its reader. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/;

/** A name with everything unprintable shown as an escape, such as `\u{202e}`. */
export function printable(name: string): string {
  const short = name.length > MAX_SEGMENT ? `${name.slice(0, MAX_SEGMENT)}…` : name;
  if (!UNPRINTABLE.test(short)) return short;
  let out = '';
  for (const char of short) {
    const code = char.codePointAt(0) ?? 0;
    out += UNPRINTABLE.test(char) && code < 0x10000 ? `\\u{${code.toString(16)}}` : char;
  }
  return out;
}

/**
 * The base name as the reader's system takes it: compatibility forms of characters are the plain ones (`．ｅｘｅ`), what
 * is invisible does not count, characters that no name on Windows may have are left out as programs do that save a file,
 * dots and spaces at the end go as Windows drops them, and so does the name of a stream (`a.exe::$DATA`).
 */
export function systemName(name: string): string {
  const plain = isPlain(name) ? name : withoutTricks(name.normalize('NFKC'));
  const path = plain.replace(/[/\\]{1,8}$/, '');
  const base = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  // Only the end is of interest; without a bound the patterns would be slow on a name of many dots.
  const end = base.length > MAX_BASE ? base.slice(-MAX_BASE) : base;
  const savable = end.replace(/["<>|*?\ufffd]+/g, '');
  return withoutTail(savable.replace(/(\.[^.:]{1,20}):[^.:]{0,64}(?::\$data)?$/i, '$1'));
}

/** Without what Windows drops at the end of a name, and without the marks of a list or a quotation that was misread. */
function withoutTail(name: string): string {
  let end = name.length;
  while (end > 0 && /[.\s',;]/.test(name.charAt(end - 1))) end -= 1;
  return name.slice(0, end);
}

/** Extension in lower case without the dot, of the name as the reader's system takes it; empty when there is none. */
export function extensionOf(name: string): string {
  const base = systemName(name);
  const dot = base.lastIndexOf('.');
  return dot < 0
    ? ''
    : base
        .slice(dot + 1)
        .trim()
        .toLowerCase();
}

/** The forms of a name that a mask may be about: as claimed, its base name, and as the reader's system takes that. */
export function nameReadings(name: string): readonly string[] {
  const base = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  return [name, base, systemName(name)];
}

/** The extension, and the last two together (`tar.gz`, `pdf.exe`) where there are two. */
export function extensionReadings(name: string): readonly string[] {
  const base = systemName(name).toLowerCase();
  const last = base.lastIndexOf('.');
  if (last < 0) return [];
  const before = base.lastIndexOf('.', last - 1);
  const extension = base.slice(last + 1).trim();
  return before < 0 ? [extension] : [extension, base.slice(before + 1)];
}

/** Hands out paths, each once: a second `a.txt` becomes `a.txt (2)`. */
export class PathRegister {
  readonly #counts = new Map<string, number>();

  unique(path: string): string {
    const count = (this.#counts.get(path) ?? 0) + 1;
    this.#counts.set(path, count);
    if (count === 1) return path;
    return this.unique(`${path} (${count})`);
  }
}
