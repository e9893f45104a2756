import { type InlineFiles, inlineFiles, MAX_FILES } from '../decode/inline-files.js';
import { dataFiles } from './data-addresses.js';
import type { Listing } from './entry.js';
import { isCard, propertyFiles } from './property-files.js';
import { scriptFiles } from './script-literals.js';

/** Said of a text that holds more than is looked at. */
export const TOO_MANY = `unscannable: more files stand in it than are looked at, ${MAX_FILES} of a kind`;

/** Files that stand in a text: in an encoding from before MIME, in `data:` addresses, in properties of calendars and cards. */
export function filesIn(text: Buffer): InlineFiles {
  const plain = narrow(text);
  return both(inlineFiles(plain), isCard(plain) ? propertyFiles(plain) : dataFiles(plain));
}

function both(one: InlineFiles, other: InlineFiles): InlineFiles {
  return { files: [...one.files, ...other.files], cut: one.cut || other.cut };
}

/**
 * Files that a text or a script holds; undefined when it holds none.
 * @param script it runs: what it carries in base64 is a file as well
 */
export function listInline(text: Buffer, script = false): Listing | undefined {
  const find = (bytes: Buffer): InlineFiles =>
    script ? both(filesIn(bytes), scriptFiles(narrow(bytes))) : filesIn(bytes);
  const { files, cut } = find(text);
  if (files.length === 0) return undefined;
  // Asked for once for each file, and not what keeps the text in memory.
  let found = new WeakRef({ text, files });
  const filesOf = (bytes: Buffer): InlineFiles['files'] => {
    const known = found.deref();
    if (known?.text === bytes) return known.files;
    const again = { text: bytes, files: find(bytes).files };
    found = new WeakRef(again);
    return again.files;
  };
  const entries = files.map(({ name, how }, index) => ({
    name: name === '' ? how : name,
    packed: text.length,
    claimed: 0,
    encrypted: false,
    unpack: (bytes: Buffer, max: number) => {
      const content = filesOf(bytes)[index]?.decode();
      if (content === undefined) return { kind: 'damaged' as const, detail: `unscannable: ${how} cannot be opened` };
      return content.length > max ? { kind: 'over' as const } : { kind: 'ok' as const, bytes: content };
    },
  }));
  return { entries, damage: cut ? [TOO_MANY] : [], cut: false };
}

/** A text in UTF-16 as one of single bytes: what is looked for is ASCII. */
function narrow(text: Buffer): Buffer {
  const wide = (text[0] === 0xff && text[1] === 0xfe) || (text[0] === 0xfe && text[1] === 0xff);
  return wide ? Buffer.from(text.toString('latin1', 2).replace(/\0/g, ''), 'latin1') : text;
}
