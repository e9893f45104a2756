/** Longer names are cut in paths. */
const MAX_SEGMENT = 255;

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

/** Extension in lower case without the dot. Trailing dots and spaces do not hide one, as Windows drops them. */
export function extensionOf(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1).replace(/[. \u0000]{1,64}$/, '');
  const dot = base.lastIndexOf('.');
  return dot < 0
    ? ''
    : base
        .slice(dot + 1)
        .trim()
        .toLowerCase();
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
