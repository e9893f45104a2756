import { isEnclosedMessage } from '../structure.js';
import type { Budget } from './budget.js';
import { type Identity, identify } from './identify.js';
import { type Lister, listerOf } from './listing.js';
import { listZip } from './zip.js';

/** What was learnt of an object from its bytes, and how to look further into it. */
export interface Seen {
  readonly identity: Identity;
  /** How its entries are listed; `message` for an enclosed message; undefined when there is nothing to open. */
  readonly opens?: Lister | 'message';
  readonly problems: readonly string[];
}

/** The end record of a zip stands in the last 64 KiB and a bit. */
const ZIP_TAIL = 66_000;

/**
 * Identifies an object and chooses the reader that opens it.
 * @param mime media type that the message claims; empty for archive entries
 */
export function inspectContent(bytes: Buffer, mime: string, extension: string, budget: Budget): Seen {
  const identity = identify(bytes, extension);
  if (isEnclosedMessage(mime) || (identity.type === 'text' && looksLikeMessage(bytes, extension))) {
    return {
      identity: { type: 'text', format: 'eml', encrypted: false, macro: false },
      opens: 'message',
      problems: [],
    };
  }
  if (identity.type === 'archive') return archive(bytes, identity, budget);
  // A program or picture with a zip behind it: unpackers read a zip from its end.
  if (hasZipTail(bytes)) {
    const listing = listZip(bytes, budget.entriesLeft);
    if (listing.entries.length > 0) return { identity, opens: () => listing, problems: [] };
  }
  return { identity, problems: [] };
}

function archive(bytes: Buffer, identity: Identity, budget: Budget): Seen {
  if (identity.format === 'zip') {
    const listing = listZip(bytes, budget.entriesLeft);
    const encrypted = listing.entries.some((entry) => entry.encrypted);
    return { identity: { ...identity, encrypted }, opens: () => listing, problems: [] };
  }
  const lister = listerOf(identity.format);
  if (lister !== undefined) return { identity, opens: lister, problems: [] };
  return { identity, problems: [`unscannable: ${identity.format} cannot be opened`] };
}

function hasZipTail(bytes: Buffer): boolean {
  return bytes.length > 22 && bytes.subarray(-ZIP_TAIL).lastIndexOf('PK\x05\x06', undefined, 'latin1') >= 0;
}

/** A message kept as a file, in an archive or attached under a type of its own. */
function looksLikeMessage(bytes: Buffer, extension: string): boolean {
  if (extension !== 'eml' && extension !== 'mht' && extension !== 'mhtml') return false;
  return /^[\x21-\x39\x3b-\x7e]{1,60}:/.test(bytes.toString('latin1', 0, 64));
}
