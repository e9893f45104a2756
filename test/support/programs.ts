import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Whether a program is on the path; tests that make their material with it are left out where it is not. */
export function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
