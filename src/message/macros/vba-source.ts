import { Mark } from '../mark.js';
import { isOle, OleFile } from '../objects/ole-file.js';
import { listZip } from '../objects/zip.js';
import { decompressVba } from './ovba.js';

/** Bounds on one document. */
const MAX_STREAMS = 500;
const MAX_STREAM = 4 * 1024 * 1024;
const MAX_SOURCE = 8 * 1024 * 1024;
const MAX_PROJECT = 16 * 1024 * 1024;
const MAX_ENTRIES = 10_000;

/** Every module starts with `Attribute VB_Name`, which cannot be shorter in its compressed form. */
const START = new Mark('\0Attribut\0e ');

/** The source of the VBA modules in a document, as far as it can be read; empty when there is none. */
export function vbaSource(document: Buffer): string {
  if (isOle(document)) return sourceOf(document, MAX_SOURCE);
  if (document.length < 4 || document.readUInt32LE(0) !== 0x04034b50) return '';
  let source = '';
  for (const entry of listZip(document, MAX_ENTRIES).entries) {
    if (!entry.name.toLowerCase().endsWith('vbaproject.bin') || entry.encrypted) continue;
    const project = entry.unpack(document, MAX_PROJECT);
    if (project.kind === 'over' || project.bytes === undefined || !isOle(project.bytes)) continue;
    source += sourceOf(project.bytes, MAX_SOURCE - source.length);
    if (source.length >= MAX_SOURCE) break;
  }
  return source;
}

function sourceOf(project: Buffer, max: number): string {
  const file = new OleFile(project);
  const modules: string[] = [];
  let left = max;
  let looked = 0;
  for (const entry of file.entries) {
    if (entry.kind !== 'stream' || entry.size < START.length) continue;
    if (looked >= MAX_STREAMS || left <= 0) break;
    looked += 1;
    const stream = file.read(entry, MAX_STREAM);
    const found = START.indexIn(stream);
    if (found < 3) continue;
    const source = decompressVba(stream, found - 3, left);
    if (source === undefined) continue;
    left -= source.length;
    modules.push(source.toString('latin1'));
  }
  return modules.join('\n');
}
