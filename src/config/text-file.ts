import { readFile, stat } from 'node:fs/promises';
import { encodingProblem } from './encoding.js';
import { codeOf, fileReason } from './file-error.js';
import type { Problem } from './problems.js';
import { formatSize } from './units.js';

/** What the system says when a file cannot be read, in words for an admin. */
const REASONS: Readonly<Partial<Record<string, readonly [string, string?]>>> = {
  ENOENT: ['there is no such file: it may be a link to a file that is gone'],
  EACCES: ['the file may not be read by the user that Gatepost runs as', 'give that user the right to read it'],
  EPERM: ['the file may not be read by the user that Gatepost runs as', 'give that user the right to read it'],
  ELOOP: ['the file is a link that leads back to itself', 'remove the link and put the file here'],
  EMFILE: ['too many files are open on this machine to read this one'],
};

/**
 * The bytes of a text file that an author edits, or what is wrong with it as a whole. A file over the limit is refused
 * without being read.
 * @param shown path as the author would write it
 * @param limit bytes
 */
export async function readTextFile(file: string, shown: string, limit: number): Promise<Buffer | Problem> {
  try {
    const about = await stat(file);
    if (about.isDirectory())
      return problem(
        shown,
        'this is a folder, not a file',
        'give the folder a name with another ending, or move its files up',
      );
    if (!about.isFile()) return problem(shown, 'this is a device, pipe or socket, not a file');
    if (about.size > limit)
      return problem(shown, `the file has ${formatSize(about.size)}: more than ${formatSize(limit)} are not read`);
    const bytes = await readFile(file);
    return encodingProblem(shown, bytes) ?? bytes;
  } catch (error) {
    const [message, hint] = REASONS[codeOf(error) ?? ''] ?? [`the file cannot be read: ${fileReason(error)}`];
    return problem(shown, message, hint);
  }
}

function problem(file: string, message: string, hint?: string): Problem {
  return {
    severity: 'error',
    place: { file, line: 1, column: 1 },
    message,
    ...(hint === undefined ? {} : { hint }),
  };
}
