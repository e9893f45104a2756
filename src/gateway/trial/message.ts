import { readFile, stat } from 'node:fs/promises';
import { fileReason } from '../../config/file-error.js';

/** More than any mail system carries: bigger files are refused instead of read into memory. */
export const MAX_TRIAL_BYTES = 1024 * 2 ** 20;

/** A message file cannot be used; the message says why, for people. */
export class UnusableMessage extends Error {
  override readonly name = 'UnusableMessage';
}

/** @throws UnusableMessage when there is no such file, or it is a folder, too large or not readable */
export async function readMessageFile(file: string): Promise<Buffer> {
  try {
    const found = await stat(file);
    if (found.isDirectory())
      throw new UnusableMessage('it is a folder; `gatepost replay` looks at all messages of a folder');
    if (found.size > MAX_TRIAL_BYTES) throw new UnusableMessage(`it is larger than ${MAX_TRIAL_BYTES / 2 ** 20} MiB`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof UnusableMessage) throw error;
    throw new UnusableMessage(fileReason(error));
  }
}

/** What is odd about a message as a whole; it is looked at all the same, as the gateway would. */
export function oddity(bytes: Buffer, maxMessageSize: number): string | undefined {
  if (bytes.length === 0) return 'the message is empty';
  if (bytes.length > maxMessageSize)
    return 'the message is larger than `smtp.maxMessageSize`: the gateway would refuse it before any rule is asked';
  const head = bytes.subarray(0, 1000).toString('latin1');
  if (head.startsWith('From '))
    return 'the file begins with a "From " line as a mailbox does: `gatepost replay` looks at each message of it';
  if (!/^[\x21-\x39\x3b-\x7e]{1,100}[ \t]*:/.test(head))
    return 'the file does not begin with a header field: is it a mail?';
  return undefined;
}
