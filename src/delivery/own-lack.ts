import { codeOf } from '../store/errors.js';

/** Descriptors and memory: of this process or this machine. */
const CODES: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
/** Causes that are looked through. */
const DEPTH = 8;

/** Whether an error, or what caused it, is a lack of our own: it says nothing about the server or folder it was met at. */
export function isOwnLack(error: unknown): boolean {
  let one = error;
  for (let depth = 0; depth < DEPTH && one instanceof Error; depth += 1) {
    if (CODES.has(codeOf(one))) return true;
    one = one.cause;
  }
  return false;
}
