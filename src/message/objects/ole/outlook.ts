import { decodeUnlabelled } from '../../decode/charset.js';
import type { OleEntry, OleFile } from '../ole-file.js';

const ATTACHMENT = '__attach_version1.0_';
/** Streams are named after the property and its type: 001f is UTF-16, 001e an 8-bit text, 0102 bytes. */
const LONG_NAME = '3707';
const SHORT_NAME = '3704';
const DISPLAY_NAME = '3001';
const DATA = '__substg1.0_37010102';

/** An attachment of an Outlook message. */
export interface OutlookAttachment {
  readonly name: string;
  readonly data: OleEntry;
}

/** The attachments of a .msg file (MS-OXMSG 2.2.2), those of the messages in it included. */
export function outlookAttachments(file: OleFile): readonly OutlookAttachment[] {
  const found: OutlookAttachment[] = [];
  for (const storage of file.entries) {
    if (storage.kind !== 'storage' || !storage.name.startsWith(ATTACHMENT)) continue;
    const streams = file.childrenOf(storage);
    const data = streams.find(({ name }) => name.toLowerCase() === DATA);
    if (data === undefined) continue;
    const name = text(file, streams, LONG_NAME) || text(file, streams, SHORT_NAME) || text(file, streams, DISPLAY_NAME);
    found.push({ name, data });
  }
  return found;
}

function text(file: OleFile, streams: readonly OleEntry[], property: string): string {
  const wide = streams.find(({ name }) => name.toLowerCase() === `__substg1.0_${property}001f`);
  if (wide !== undefined) return file.read(wide, 2048).toString('utf16le').replace(/\0+$/, '');
  const narrow = streams.find(({ name }) => name.toLowerCase() === `__substg1.0_${property}001e`);
  return narrow === undefined ? '' : decodeUnlabelled(file.read(narrow, 1024)).replace(/\0+$/, '');
}
