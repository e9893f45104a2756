import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMissing, removeTemporaries } from '../store/files.js';
import { filesOfOwner } from '../store/owned-files.js';

const COST = { N: 16_384, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
const MAX_PASSWORD = 1024;
/** Checks that run at a time: scrypt shares its threads with all file access. */
const MAX_CHECKS = 2;

/**
 * Hashes a password: `scrypt$N$r$p$salt$key`, salt and key in base64.
 * @throws RangeError when the password is empty or longer than 1024 bytes
 */
export async function hashPassword(password: string): Promise<string> {
  const bytes = Buffer.byteLength(password);
  if (bytes === 0 || bytes > MAX_PASSWORD) throw new RangeError(`a password has 1 to ${MAX_PASSWORD} bytes`);
  const salt = randomBytes(16);
  const key = await derive(password, salt, KEY_BYTES, COST);
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64')}$${key.toString('base64')}`;
}

/** Whether the password is that of the hash; false for a hash that cannot be read. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const match = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]{1,128})\$([A-Za-z0-9+/=]{1,128})$/.exec(
    hash,
  );
  if (match === null || Buffer.byteLength(password) > MAX_PASSWORD) return false;
  const [N, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const wanted = Buffer.from(match[5] ?? '', 'base64');
  if (N < 2 || (N & (N - 1)) !== 0 || r < 1 || p < 1 || N * r > 2 ** 20 || p > 16 || wanted.length < 16) return false;
  const key = await derive(password, Buffer.from(match[4] ?? '', 'base64'), wanted.length, { N, r, p });
  return timingSafeEqual(key, wanted);
}

/** A name that can stand in the users file. */
export function isUserName(name: string): boolean {
  return name.length > 0 && name.length <= 128 && !/[\x00-\x20\x7f-\x9f:#]/.test(name);
}

/**
 * Adds a user or sets a new password. The file is replaced as a whole, readable by its owner alone.
 * @throws RangeError for a name or password that cannot be, and file errors
 */
export async function setUser(file: string, name: string, password: string): Promise<void> {
  if (!isUserName(name)) throw new RangeError('a name has 1 to 128 characters and no spaces, colons or #');
  const line = `${name}:${await hashPassword(password)}`;
  const lines = (await readIfThere(file)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const at = lines.findIndex((old) => old.startsWith(`${name}:`));
  if (at < 0) lines.push(line);
  else lines[at] = line;
  await removeTemporaries(path.dirname(file), { of: path.basename(file) });
  await (await filesOfOwner(await ownerOf(file))).replace(file, `${lines.join('\n')}\n`);
}

/** The file, or the folder of one that is still to be made: root's command must not close it to the gateway. */
async function ownerOf(file: string): Promise<string> {
  try {
    await stat(file);
    return file;
  } catch (error) {
    if (isMissing(error)) return path.dirname(file);
    throw error;
  }
}

/** The users of a file, read again when it has changed. */
export class Users {
  readonly #file: string;
  #stamp = '';
  #hashes: ReadonlyMap<string, string> = new Map();
  #decoy: string | undefined;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /** Whether name and password belong together. Takes as long for a name that there is not. @throws file errors */
  async check(name: string, password: string): Promise<boolean> {
    await this.#turn();
    try {
      await this.#load();
      const hash = this.#hashes.get(name);
      this.#decoy ??= await hashPassword(randomBytes(16).toString('hex'));
      const right = await verifyPassword(hash ?? this.#decoy, password);
      return right && hash !== undefined;
    } finally {
      this.#running -= 1;
      this.#queue.shift()?.();
    }
  }

  /** Reads the file if it has changed. @throws file errors */
  async #load(): Promise<void> {
    const { mtimeMs, size, ino } = await stat(this.#file);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    if (stamp === this.#stamp) return;
    const hashes = new Map<string, string>();
    for (const line of (await readFile(this.#file, 'utf8')).split(/\r?\n/)) {
      const colon = line.indexOf(':');
      if (colon > 0 && !line.startsWith('#')) hashes.set(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    this.#hashes = hashes;
    this.#stamp = stamp;
  }

  async #turn(): Promise<void> {
    while (this.#running >= MAX_CHECKS) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running += 1;
  }
}

function derive(password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...options, maxmem: 256 * 2 ** 20 }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
