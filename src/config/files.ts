import { readFileSync } from 'node:fs';
import { codeOf, fileReason } from './file-error.js';

/** Why a file names no certificates to trust; undefined where it does. */
export function whyNoAuthority(file: string): string | undefined {
  const unread = whyUnread(file);
  if (unread !== undefined) return unread;
  return readFileSync(file, 'latin1').includes('-----BEGIN') ? undefined : `${file} is no file with certificates (PEM)`;
}

/** Why a file cannot be read, for people; undefined where it can. */
export function whyUnread(file: string): string | undefined {
  try {
    readFileSync(file);
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return `there is no file ${file}`;
    if (code === 'EACCES') return `${file} may not be read by the user that this runs as`;
    return `${file} cannot be read: ${fileReason(error)}`;
  }
}
