import { inlineFiles } from '../decode/inline-files.js';
import type { Listing } from './entry.js';

/** Files that a text holds as uuencode, yEnc or BinHex; undefined when it holds none. */
export function listInline(text: Buffer): Listing | undefined {
  const files = inlineFiles(text);
  if (files.length === 0) return undefined;
  const entries = files.map(({ name, how }, index) => ({
    name: name === '' ? how : name,
    packed: text.length,
    claimed: 0,
    encrypted: false,
    unpack: (bytes: Buffer, max: number) => {
      const content = inlineFiles(bytes)[index]?.decode();
      if (content === undefined) return { kind: 'damaged' as const, detail: `unscannable: ${how} cannot be opened` };
      return content.length > max ? { kind: 'over' as const } : { kind: 'ok' as const, bytes: content };
    },
  }));
  return { entries, damage: [], cut: false };
}
