import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashPassword, isUserName, setUser, Users, verifyPassword } from './users.js';

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-users-'));
  file = path.join(folder, 'users');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a password hash', () => {
  it('fits its own password, is different each time, and does not hold it', async () => {
    const hash = await hashPassword('geheim ü');
    expect(hash).toMatch(/^scrypt\$16384\$8\$1\$[^$]+\$[^$]+$/);
    expect(hash).not.toBe(await hashPassword('geheim ü'));
    expect(await verifyPassword(hash, 'geheim ü')).toBe(true);
    expect(await verifyPassword(hash, 'geheim u')).toBe(false);
  });

  it.each([
    '',
    'scrypt$',
    'plain',
    'scrypt$3$8$1$AAAA$AAAA',
    'scrypt$9999999$99$99$AAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  ])('that cannot be read fits nothing: %j', async (hash) => {
    expect(await verifyPassword(hash, 'x')).toBe(false);
  });

  it('is not made of nothing, nor of too much', async () => {
    await expect(hashPassword('')).rejects.toThrow(RangeError);
    await expect(hashPassword('x'.repeat(1025))).rejects.toThrow(RangeError);
  });
});

describe('the users file', () => {
  it('is kept as it is but for the user that is set, and readable by its owner alone', async () => {
    await writeFile(file, '# people\nanna:old\notto:kept\n');
    await setUser(file, 'anna', 'neu');
    await setUser(file, 'eva', 'auch neu');
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines.map((line) => line.split('$')[0])).toEqual(['# people', 'anna:scrypt', 'otto:kept', 'eva:scrypt', '']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['users']);
  });

  it.each(['', 'a:b', 'a b', '#a', 'a\nb', 'x'.repeat(129)])('takes no name like %j', async (name) => {
    expect(isUserName(name)).toBe(false);
    await expect(setUser(file, name, 'x')).rejects.toThrow(RangeError);
  });

  it('is read again when it has changed', async () => {
    await setUser(file, 'anna', 'alt');
    const users = new Users(file);
    expect(await users.check('anna', 'alt')).toBe(true);
    expect(await users.check('anna', 'neu')).toBe(false);
    expect(await users.check('otto', 'alt')).toBe(false);
    await setUser(file, 'anna', 'neu');
    await utimes(file, 1, 1);
    const answers = await Promise.all([users.check('anna', 'alt'), users.check('anna', 'neu'), users.check('', '')]);
    expect(answers).toEqual([false, true, false]);
  });

  it('that is missing is an error and not a no', async () => {
    await expect(new Users(file).check('anna', 'x')).rejects.toThrow('ENOENT');
  });
});
