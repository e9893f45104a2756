import { decodeUnlabelled } from '../../decode/charset.js';

/** A file in an `\u0001Ole10Native` stream. */
export interface NativeFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const MAX_TEXT = 1024;

/**
 * The file in the stream of a packager object (MS-OLEDS 2.3.6; its content is that of the old Packager program): sizes
 * around a label, the file's path, a temporary path, and the bytes. One that is not of that form is taken as a whole.
 */
export function readNative(stream: Buffer): NativeFile {
  const whole = { name: '', bytes: stream.subarray(4) };
  if (stream.length < 16 || stream.readUInt16LE(4) !== 2) return whole;
  const label = readText(stream, 6);
  const path = label === undefined ? undefined : readText(stream, label.next);
  if (label === undefined || path === undefined) return whole;
  let at = path.next + 4;
  if (at + 4 > stream.length) return whole;
  at += 4 + stream.readUInt32LE(at);
  if (at + 4 > stream.length) return whole;
  const size = stream.readUInt32LE(at);
  const name = baseName(label.text) || baseName(path.text);
  return { name, bytes: stream.subarray(at + 4, at + 4 + size) };
}

function readText(bytes: Buffer, start: number): { readonly text: string; readonly next: number } | undefined {
  const end = bytes.indexOf(0, start);
  if (end < 0 || end - start > MAX_TEXT) return undefined;
  return { text: decodeUnlabelled(bytes.subarray(start, end)), next: end + 1 };
}

function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('\\'), path.lastIndexOf('/')) + 1);
}
