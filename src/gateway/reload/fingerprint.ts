import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../store/errors.js';
import type { Places } from './places.js';

/** Subfolder of the rules, and what is read of each folder. */
const LISTS = 'lists';
/** Files that are looked at at a time. */
const AT_A_TIME = 16;

/** How the files were at one moment. Two that are equal: nothing has changed between them. */
export interface Fingerprint {
  /** Of everything that makes the set. */
  readonly set: string;
  /** Of the files that detectors follow by themselves. */
  readonly followed: string;
}

/**
 * Looks at all files of a set, through symbolic links: a file replaced by a rename, a link that leads elsewhere
 * (as Kubernetes swaps its `..data`) and a folder that is gone or back all make another fingerprint.
 * Nothing is opened or read, and nothing is thrown: what cannot be looked at is a state as well.
 */
export async function fingerprintOf(places: Places): Promise<Fingerprint> {
  // Where rules are looked for first when none are named: without it the shipped ones are in force.
  const usual = path.join(path.dirname(places.config), 'rules');
  const inFolders = await Promise.all([
    usual === places.rules ? [] : filesOf(usual, /\.yaml$/),
    filesOf(places.rules, /\.ya?ml$/),
    filesOf(path.join(places.rules, LISTS), /\.txt$/),
    templateFiles(places.templates),
  ]);
  const [set, followed] = await Promise.all([
    stampsOf([places.config, places.rules, ...places.files, ...inFolders.flat()]),
    stampsOf(places.followed),
  ]);
  return { set, followed };
}

/** Own templates by language, with their words. */
export async function templateFiles(folder: string): Promise<string[]> {
  const languages = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const lists = await Promise.all(
    languages
      .filter((entry) => !entry.isFile())
      .map((entry) => filesOf(path.join(folder, entry.name), /\.hbs$|^words\.yaml$/)),
  );
  return lists.flat();
}

/** Files of a folder in the order of their names; a folder that cannot be read has none. */
export async function filesOf(folder: string, wanted: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => wanted.test(name))
    .sort()
    .map((name) => path.join(folder, name));
}

async function stampsOf(files: readonly string[]): Promise<string> {
  const stamps: string[] = [];
  for (let at = 0; at < files.length; at += AT_A_TIME)
    stamps.push(...(await Promise.all(files.slice(at, at + AT_A_TIME).map(stampOf))));
  return stamps.join('\n');
}

async function stampOf(file: string): Promise<string> {
  try {
    const found = await stat(file, { bigint: true });
    // The time of a folder changes with each temporary file of an editor: that it is there is enough.
    if (found.isDirectory()) return `${file} folder`;
    const { dev, ino, size, mtimeNs, ctimeNs } = found;
    return `${file} ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return `${file} ${codeOf(error) ?? 'unreadable'}`;
  }
}
