import { readFile, stat } from 'node:fs/promises';

/** No person writes more into one file. */
const MAX_BYTES = 16 * 2 ** 20;

/** The text of a file that people write, or why it cannot be had. */
export async function readText(file: string): Promise<{ readonly text: string } | { readonly reason: string }> {
  try {
    const found = await stat(file);
    if (!found.isFile()) return { reason: 'this is not a file' };
    if (found.size > MAX_BYTES) return { reason: `the file is larger than ${MAX_BYTES / 2 ** 20} MiB` };
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    return { reason: `the file cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}
