import { Mark } from '../mark.js';
import { byMagic, type Kind } from './magic.js';
import { hasMacroSheet } from './biff.js';
import { byText, runningAs } from './text-kind.js';

const ENCRYPT = new Mark('/Encrypt');

/** What the bytes of an object are. */
export interface Identity extends Kind {
  readonly encrypted: boolean;
  readonly macro: boolean;
}

/**
 * The true type of an object by its content. The extension only tells scripts from other text, as interpreters do.
 * Containers (zip, OLE) are told by what is in them, elsewhere.
 */
export function identify(bytes: Buffer, extension: string): Identity {
  const magic = byMagic(bytes);
  const kind =
    (magic === undefined ? undefined : runningAs(magic, bytes, extension)) ?? magic ?? byText(bytes, extension);
  const encrypted = kind.type === 'encrypted' || (kind.format === 'pdf' && ENCRYPT.isIn(bytes));
  return { encrypted, macro: kind.format === 'xls' && hasMacroSheet(bytes), ...kind };
}
