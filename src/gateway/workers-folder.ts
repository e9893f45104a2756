import path from 'node:path';

/** Folder with the folders of workers that run on this configuration: they hold nothing that is missed. */
export function workersFolder(data: string): string {
  return path.join(data, 'workers');
}
