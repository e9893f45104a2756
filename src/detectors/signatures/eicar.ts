/**
 * The EICAR test file (eicar.org, "Anti-Malware Testfile"), put together at run time: a source file that contained it
 * would itself be found by scanners.
 */
export const EICAR: Buffer = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', ['EICAR', 'STANDARD', 'ANTIVIRUS', 'TEST', 'FILE!'].join('-'), 'H+H*'].join('$'),
  'latin1',
);

export const EICAR_NAME = 'EICAR-Test-File';

/** Length that the test file may have with the white space behind it. */
const MAX_LENGTH = 128;

/**
 * Whether the bytes are the test file: its 68 characters at the start, and behind them nothing but white space (and the
 * Ctrl-Z of DOS), up to 128 bytes in all.
 */
export function isEicar(bytes: Buffer): boolean {
  if (bytes.length < EICAR.length || bytes.length > MAX_LENGTH) return false;
  if (bytes.compare(EICAR, 0, EICAR.length, 0, EICAR.length) !== 0) return false;
  return bytes.subarray(EICAR.length).every((byte) => isSpace(byte) || byte === 0x1a);
}

/** Like isEicar for the text of a mail, in which blank lines may stand in front and behind without bound. */
export function isEicarText(bytes: Buffer): boolean {
  if (!bytes.includes(EICAR)) return false;
  let start = 0;
  while (isSpace(bytes[start])) start++;
  let end = bytes.length;
  while (end > start && isSpace(bytes[end - 1])) end--;
  return isEicar(bytes.subarray(start, end));
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}
