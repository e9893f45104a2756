import path from 'node:path';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fileReason } from '../config/file-error.js';
import { loadConfig } from '../config/load.js';
import { isUserName, setUser } from '../smtp/users.js';
import { isMissing } from '../store/files.js';
import { UsageError } from './exit.js';
import { out } from './terminal.js';

/** `gatepost user set NAME`: a running gateway takes the change over by itself. */
export async function setUserPassword(name: string, options: { readonly config?: string }): Promise<void> {
  const { config } = await loadConfig(options.config);
  const file = config.smtp.auth?.users;
  if (file === undefined) {
    throw new UsageError(
      '`smtp.auth` is not configured: add `smtp: { auth: { users: ./users } }` to the configuration first',
    );
  }
  if (!isUserName(name))
    throw new UsageError(`"${name}" cannot be a user name: 1 to 128 characters, no spaces, colons or #`);
  const password = process.stdin.isTTY ? await askTwice() : await readLine();
  if (password === '') throw new UsageError('the password is empty');
  await write(file, name, password);
  out(`${name} may log in now.`);
}

/** @throws UsageError for a password that cannot be; Error when the file cannot be written */
async function write(file: string, name: string, password: string): Promise<void> {
  try {
    await setUser(file, name, password);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    const reason = isMissing(error)
      ? `there is no folder ${path.dirname(file)}; make it first, as the user that Gatepost runs as`
      : fileReason(error);
    throw new Error(`cannot change the users file ${file} (\`smtp.auth.users\`): ${reason}`, { cause: error });
  }
}

async function askTwice(): Promise<string> {
  const first = await ask('Password: ');
  const second = await ask('Again: ');
  if (first !== second) throw new UsageError('the two are not the same');
  return first;
}

/** Asks on the terminal; what is typed is not shown. */
async function ask(question: string): Promise<string> {
  process.stdout.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new UsageError('given up')));
      lines.once('close', () => resolve(''));
    });
  } finally {
    lines.close();
    process.stdout.write('\n');
  }
}

async function readLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return '';
}
