import path from 'node:path';

/** A path as its author would write it: counted from a folder where it lies in it. */
export function shownPath(file: string, root: string): string {
  const relative = path.relative(root, file);
  return relative.startsWith('..') ? file : relative.split(path.sep).join('/');
}
