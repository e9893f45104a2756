import type { ByteRange } from '../../types.js';
import { decodeUnlabelled } from '../../decode/charset.js';
import type { ArchiveEntry, Listing, Unpacked } from '../entry.js';
import { type Property, readProperties, textOf } from './properties.js';
import { unpackRtf } from './rtf-body.js';

const HEADER = 6;
const ATTACHMENT_START = 0x00069002;
const ATTACHMENT_TITLE = 0x00018010;
const ATTACHMENT_DATA = 0x0006800f;
const ATTACHMENT_PROPERTIES = 0x00069005;
const MESSAGE_PROPERTIES = 0x00069003;
const LONG_NAME = 0x3707;
const DISPLAY_NAME = 0x3001;
const DATA = 0x3701;
const OBJECT = 0x0d;
/** An embedded object starts with the identifier of its interface. */
const INTERFACE_ID = 16;
const BODY = 0x1000;
const RTF_BODY = 0x1009;
const HTML_BODY = 0x1013;

interface Attachment {
  title: string;
  name: string;
  data: ByteRange | undefined;
}

/** The attachments in a winmail.dat, and the texts of the message in it (MS-OXTNEF 2.1.3). */
export function listTnef(archive: Buffer, maxEntries: number): Listing {
  const entries: ArchiveEntry[] = [];
  const attachments: Attachment[] = [];
  const damage: string[] = [];
  let at = HEADER;
  while (at + 9 <= archive.length && attachments.length <= maxEntries) {
    const id = archive.readUInt32LE(at + 1);
    const length = archive.readUInt32LE(at + 5);
    const value = { start: at + 9, end: Math.min(archive.length, at + 9 + length) };
    if (value.end - value.start < length) damage.push('it is cut short');
    if (id === ATTACHMENT_START) attachments.push({ title: '', name: '', data: undefined });
    const attachment = attachments.at(-1);
    if (id === MESSAGE_PROPERTIES) entries.push(...bodies(archive, value));
    else if (attachment !== undefined) readAttribute(archive, id, value, attachment);
    at = value.end + 2;
  }
  for (const { name, title, data } of attachments) {
    if (data !== undefined) entries.push(entryOf(name || title, data, (bytes) => ({ kind: 'ok', bytes })));
  }
  return { entries: entries.slice(0, maxEntries), damage, cut: entries.length > maxEntries };
}

function readAttribute(archive: Buffer, id: number, value: ByteRange, attachment: Attachment): void {
  if (id === ATTACHMENT_TITLE) {
    const text = archive.subarray(value.start, Math.min(value.end, value.start + 1024));
    attachment.title = decodeUnlabelled(text).replace(/\0+$/, '');
  } else if (id === ATTACHMENT_DATA) {
    attachment.data = value;
  } else if (id === ATTACHMENT_PROPERTIES) {
    const properties = readProperties(archive, value);
    const named = (wanted: number): Property | undefined => properties.find((one) => one.id === wanted);
    attachment.name = textOf(archive, named(LONG_NAME)) || textOf(archive, named(DISPLAY_NAME));
    const object = named(DATA);
    if (object === undefined) return;
    const skip = object.type === OBJECT ? Math.min(INTERFACE_ID, object.value.end - object.value.start) : 0;
    attachment.data ??= { start: object.value.start + skip, end: object.value.end };
    const { start, end } = attachment.data;
    if (end - start === 0) attachment.data = { start: object.value.start + skip, end: object.value.end };
  }
}

/** The texts of the message: in such a mail they stand here and nowhere else. */
function bodies(archive: Buffer, value: ByteRange): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  for (const property of readProperties(archive, value)) {
    if (property.value.start === property.value.end) continue;
    if (property.id === BODY) entries.push(entryOf('body.txt', property.value, plain));
    if (property.id === HTML_BODY) entries.push(entryOf('body.html', property.value, plain));
    if (property.id === RTF_BODY) entries.push(entryOf('body.rtf', property.value, unpackRtf));
  }
  return entries;
}

function plain(bytes: Buffer): Unpacked {
  return { kind: 'ok', bytes };
}

function entryOf(
  name: string,
  { start, end }: ByteRange,
  take: (bytes: Buffer, max: number) => Unpacked,
): ArchiveEntry {
  return {
    name,
    packed: end - start,
    claimed: end - start,
    encrypted: false,
    unpack: (archive, max) => (end - start > max ? { kind: 'over' } : take(archive.subarray(start, end), max)),
  };
}
