import type { Identity } from './identify.js';
import type { Kind } from './magic.js';
import type { OleFile } from './ole-file.js';
import { hasMacro } from './ole-macros.js';

/** Streams that tell the program a compound file belongs to, the most telling first. */
const BY_STREAM: readonly (readonly [string, Kind])[] = [
  ['EncryptedPackage', { type: 'encrypted', format: 'ooxml-encrypted' }],
  ['WordDocument', { type: 'document', format: 'doc' }],
  ['Workbook', { type: 'spreadsheet', format: 'xls' }],
  ['Book', { type: 'spreadsheet', format: 'xls' }],
  ['PowerPoint Document', { type: 'presentation', format: 'ppt' }],
  ['VisioDocument', { type: 'document', format: 'vsd' }],
  ['Quill', { type: 'document', format: 'pub' }],
  ['\u0005HwpSummaryInformation', { type: 'document', format: 'hwp' }],
  ['__properties_version1.0', { type: 'other', format: 'msg' }],
  ['\u0001Ole10Native', { type: 'other', format: 'ole-package' }],
];
/** Class identifiers of Windows Installer packages, patches and transforms. */
const INSTALLER = /^8[2-6]100c0000000000c000000000000046$/;
const RECORD_FILEPASS = 0x002f;
const RECORD_BOF = 0x0809;

/** The true type of a compound file by the names in its directory. */
export function identifyOle(file: OleFile): Identity {
  const names = new Set(file.entries.map(({ name }) => name));
  const kind = BY_STREAM.find(([name]) => names.has(name))?.[1] ?? installer(file) ?? { type: 'other', format: 'ole' };
  const macro = hasMacro(file, kind.format);
  return { ...kind, encrypted: kind.type === 'encrypted' || isEncrypted(file, kind.format), macro };
}

function installer(file: OleFile): Kind | undefined {
  const root = file.entries.find(({ kind }) => kind === 'root');
  return root !== undefined && INSTALLER.test(root.classId) ? { type: 'executable', format: 'msi' } : undefined;
}

/** The three old formats mark a password each in its own way (MS-DOC 2.5.2, MS-XLS 2.4.117, MS-PPT 2.3.2). */
function isEncrypted(file: OleFile, format: string): boolean {
  if (format === 'doc') {
    const fib = file.head('WordDocument', 12);
    return fib.length === 12 && (fib.readUInt16LE(10) & 0x0100) !== 0;
  }
  if (format === 'xls') return hasPassword(file);
  if (format === 'ppt') {
    const user = file.head('Current User', 16);
    return user.length === 16 && user.readUInt32LE(12) === 0xf3d1c4df;
  }
  return false;
}

/** FILEPASS comes among the first records of the workbook. */
function hasPassword(file: OleFile): boolean {
  const workbook = file.head('Workbook', 4096);
  const records = workbook.length > 0 ? workbook : file.head('Book', 4096);
  if (records.length < 4 || records.readUInt16LE(0) !== RECORD_BOF) return false;
  for (let at = 0; at + 4 <= records.length;) {
    if (records.readUInt16LE(at) === RECORD_FILEPASS) return true;
    at += 4 + records.readUInt16LE(at + 2);
  }
  return false;
}
