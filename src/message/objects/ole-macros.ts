import { Mark } from '../mark.js';
import type { OleFile } from './ole-file.js';

const VBA_NAMES: ReadonlySet<string> = new Set(['_VBA_PROJECT', '_VBA_PROJECT_CUR', 'VBA', 'Macros']);
/** Bytes of a workbook or presentation that are looked through. */
const MAX_LOOK = 16 * 1024 * 1024;
const RECORD_EOF = 0x000a;
const RECORD_BOUNDSHEET = 0x0085;
/** VbaInfoAtom (MS-PPT 2.4.11): record header, reference, and whether there are macros. */
const VBA_INFO = new Mark('\x02\0\0\x04\x0c\0\0\0');

/** Whether a document of the old formats carries a macro: VBA, or a sheet of Excel 4.0 macros. */
export function hasMacro(file: OleFile, format: string): boolean {
  if (file.entries.some(({ name }) => VBA_NAMES.has(name))) return true;
  if (format === 'xls') return hasMacroSheet(file);
  if (format === 'doc') return hasProgramField(file);
  if (format === 'ppt') return hasVbaInfo(file);
  return false;
}

/** A field that starts a program: behind its mark (MS-DOC 2.8.25) its code stands in the text, in one of two widths. */
function hasProgramField(file: OleFile): boolean {
  const stream = file.head('WordDocument', MAX_LOOK);
  if (!stream.includes('DDE') && !stream.includes('DDE', 0, 'utf16le')) return false;
  const text = stream.toString('latin1');
  return /\x13[\s"]{0,20}DDE/i.test(text) || /\x13\0(?:[\s"]\0){0,20}D\0D\0E\0/i.test(text);
}

/** The list of sheets stands in the first substream of the workbook (MS-XLS 2.4.28); `dt` 1 is a macro sheet. */
export function hasMacroSheet(file: OleFile): boolean {
  const workbook = file.head('Workbook', MAX_LOOK);
  const records = workbook.length > 0 ? workbook : file.head('Book', MAX_LOOK);
  for (let at = 0; at + 4 <= records.length;) {
    const kind = records.readUInt16LE(at);
    const size = records.readUInt16LE(at + 2);
    if (kind === RECORD_EOF) return false;
    if (kind === RECORD_BOUNDSHEET && size >= 6 && records[at + 9] === 1) return true;
    at += 4 + size;
  }
  return false;
}

/** PowerPoint keeps its VBA project compressed inside its one stream, and says in a record that it does. */
function hasVbaInfo(file: OleFile): boolean {
  const stream = file.head('PowerPoint Document', MAX_LOOK);
  for (let at = VBA_INFO.indexIn(stream); at >= 0; at = VBA_INFO.indexIn(stream, at + 1)) {
    if (at + 16 <= stream.length && stream.readUInt32LE(at + 12) === 1) return true;
  }
  return false;
}
