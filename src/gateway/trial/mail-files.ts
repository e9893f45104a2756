import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileReason } from '../../config/file-error.js';
import { readMbox } from './mbox.js';
import { readMessageFile, UnusableMessage } from './message.js';

/** One message of a collection. */
export interface StoredMail {
  /** Path below the folder; for a mailbox with the number of the message: `mail.mbox#12`. */
  readonly name: string;
  /** Number of files that have been begun, this one's included. */
  readonly files: number;
  /** @throws UnusableMessage when it cannot be read */
  load(): Promise<Buffer>;
}

interface FoundFile {
  readonly path: string;
  /** In `cur` or `new` of a Maildir: a message whatever its name. */
  readonly maildir: boolean;
}

/** Number of files below a folder (1 for a file). @throws UnusableMessage when it cannot be listed */
export async function countFiles(place: string): Promise<number> {
  const files = filesBelow(place);
  let count = 0;
  while ((await files.next()).done !== true) count += 1;
  return count;
}

/**
 * The messages of a folder and the folders in it: files that end in `.eml`, mailbox files, and Maildirs; or those of one
 * file. One file is open at a time, and nothing is kept. Other files are told to `ignored`.
 * @throws UnusableMessage when the place cannot be listed
 */
export async function* storedMails(place: string, ignored: (name: string) => void): AsyncGenerator<StoredMail> {
  let files = 0;
  for await (const file of filesBelow(place)) {
    files += 1;
    const name = path.relative(place, file.path) || path.basename(file.path);
    const kind = await kindOf(file, file.path === place);
    if (kind === 'other') ignored(name);
    else if (kind === 'message') yield { name, files, load: async () => await readMessageFile(file.path) };
    else yield* mboxMails(file.path, name, files);
  }
}

async function* mboxMails(file: string, name: string, files: number): AsyncGenerator<StoredMail> {
  let number = 0;
  try {
    for await (const message of readMbox(file)) {
      number += 1;
      const load = (): Promise<Buffer> =>
        message === undefined ? Promise.reject(new UnusableMessage('it is too long')) : Promise.resolve(message);
      yield { name: `${name}#${number}`, files, load };
    }
  } catch (error) {
    const reason = new UnusableMessage(fileReason(error));
    yield { name, files, load: () => Promise.reject(reason) };
  }
}

async function kindOf(file: FoundFile, named: boolean): Promise<'message' | 'mbox' | 'other'> {
  const head = await headOf(file.path);
  // What cannot be read is told as a broken message where it should be one.
  const extension = path.extname(file.path).toLowerCase();
  const meant = named || file.maildir || extension === '.eml';
  if (head === undefined) return meant ? 'message' : 'other';
  if (!file.maildir && head.startsWith('From ')) return 'mbox';
  // Numbered files, as MH and some archives keep them.
  const nameless = extension === '' || /^\.[0-9a-f]+$/.test(extension);
  return meant || (nameless && FIELD.test(head)) ? 'message' : 'other';
}

const FIELD =
  /^(return-path|received|from|to|date|subject|message-id|delivered-to|x-original-to|x-envelope-from|mime-version|dkim-signature):/i;

async function headOf(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
      return buffer.toString('latin1', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

async function* filesBelow(place: string): AsyncGenerator<FoundFile> {
  const root = await stat(place).catch((error: unknown) => {
    throw new UnusableMessage(fileReason(error));
  });
  if (root.isDirectory()) yield* filesIn(place, place);
  else yield { path: place, maildir: false };
}

/** In the order of names. Links to folders are not followed: they may lead in a circle. @param place where it began */
async function* filesIn(folder: string, place: string): AsyncGenerator<FoundFile> {
  const maildir = await isMaildirPart(folder);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new UnusableMessage(
      folder === place ? fileReason(error) : `${folder} cannot be listed: ${fileReason(error)}`,
    );
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      const unfinished = entry.name === 'tmp' && (await isMaildirPart(full));
      if (!unfinished) yield* filesIn(full, place);
    } else if (entry.isFile() || entry.isSymbolicLink()) {
      if (!entry.name.startsWith('.')) yield { path: full, maildir };
    }
  }
}

/** Whether a folder is one of the three of a Maildir. */
async function isMaildirPart(folder: string): Promise<boolean> {
  if (!['cur', 'new', 'tmp'].includes(path.basename(folder))) return false;
  const siblings = await readdir(path.dirname(folder)).catch((): string[] => []);
  return siblings.includes('cur') && siblings.includes('new');
}
