/** What the system says of a file or folder: what is wrong, and what to do where that is not plain. */
const WORDS: Readonly<Partial<Record<string, readonly [what: string, next?: string]>>> = {
  ENOENT: ['there is no such file'],
  ENOTDIR: ['there is no such file', 'a part of its path is a file and no folder'],
  EISDIR: ['it is a folder, not a file', 'name a file'],
  EACCES: ['this user has no right to it', 'work as the user that Gatepost runs as, or give this one the right'],
  EPERM: ['this user has no right to it', 'work as the user that Gatepost runs as, or give this one the right'],
  EROFS: ['it lies on a file system that is mounted read-only'],
  EEXIST: ['there is a file of that name', 'move it away'],
  ELOOP: ['it is a link that leads back to itself', 'remove the link'],
  ENAMETOOLONG: ['the name is too long'],
  ENOSPC: ['the disk is full', 'make room on it'],
  EDQUOT: ["the user's share of the disk is used up", 'make room on it'],
  EMFILE: ['this process has too many files open', 'raise the limit of open files (ulimit -n)'],
  ENFILE: ['too many files are open on this machine'],
  EIO: ['the disk reports an error', "look into the system's log"],
  EBUSY: ['something else uses it'],
};

/** What a system call was to do. */
const DOINGS: Readonly<Partial<Record<string, string>>> = {
  open: 'open',
  read: 'read',
  stat: 'read',
  lstat: 'read',
  access: 'read',
  scandir: 'list',
  mkdir: 'make the folder',
  mkdtemp: 'make a folder',
};

/** Why a file cannot be used, for people, without its name. @param error of a file operation */
export function fileReason(error: unknown): string {
  const known = WORDS[codeOf(error) ?? ''];
  if (known === undefined) return error instanceof Error ? error.message : String(error);
  return known.join('; ');
}

/** The message of an error for people: where the system refused a file operation, in words. */
export function inPlainWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  if (code === undefined || WORDS[code] === undefined) return error.message;
  if (!('path' in error) || typeof error.path !== 'string' || !('syscall' in error)) return error.message;
  return `cannot ${DOINGS[String(error.syscall)] ?? 'change'} ${error.path}: ${fileReason(error)}`;
}

/** `code` of a system or database error, such as `ENOENT` or `57P01`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
