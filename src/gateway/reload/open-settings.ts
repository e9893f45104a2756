import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { loadConfig, parseConfig, type Config } from '../../config/load.js';
import { ConfigError } from '../../config/problems.js';
import { finishSetup, loadSetup, type Purpose, type Setup } from '../setup.js';
import { fingerprintOf, type Fingerprint } from './fingerprint.js';
import { readKept, type KeptSet } from './last-good.js';
import { placesOf } from './places.js';
import { setHash } from './set-hash.js';

export interface OpenOptions {
  readonly purpose: Purpose;
  /** Path given with --config. */
  readonly file?: string;
  readonly cwd: string;
  /** Takes the set that was last in force when the present one is broken. */
  readonly lastGood: boolean;
}

/** The set that a gateway starts with, and what is needed to follow its files from then on. */
export interface OpenedSettings {
  readonly purpose: Purpose;
  readonly file?: string;
  readonly cwd: string;
  readonly wanted: string;
  readonly setup: Setup;
  readonly hash: string;
  /** The configuration as the admin has it: differs from the setup's in where its files lie with --last-good. */
  readonly edited: Config;
  /** How the files were before they were loaded. */
  readonly print: Fingerprint;
  /** Why the present set was not taken. */
  readonly refused?: ConfigError;
}

/** How often files that change while they are read are read again. */
const ATTEMPTS = 5;

/**
 * Loads the set for a start.
 * @throws ConfigError when it is broken, and there is no other or none was asked for
 */
export async function openSettings(options: OpenOptions): Promise<OpenedSettings> {
  const { purpose, file, cwd } = options;
  const wanted = path.resolve(cwd, file ?? 'gatepost.yaml');
  const base = { purpose, ...(file === undefined ? {} : { file }), cwd, wanted };
  try {
    for (let attempt = 1; ; attempt++) {
      const { config } = await loadConfig(file, cwd);
      const print = await fingerprintOf(placesOf(config, wanted));
      const setup = await loadSetup(purpose, file, cwd);
      const places = placesOf(setup.config, wanted);
      if ((await fingerprintOf(places)).set === print.set || attempt === ATTEMPTS)
        return { ...base, setup, hash: await setHash(setup.config, setup.bundle), edited: setup.config, print };
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const kept = await readKept(await dataFolder(wanted));
    if (kept?.config !== wanted) {
      if (!options.lastGood) throw error;
      throw withAdvice(error, 'no last good set is kept in the data folder: the errors must be mended');
    }
    if (!options.lastGood)
      throw withAdvice(
        error,
        `\`gatepost start --last-good\` runs on the set that was last in force (kept ${kept.time}) until they are mended`,
      );
    return { ...base, ...(await openKept(kept, purpose)), refused: error };
  }
}

async function openKept(
  kept: KeptSet,
  purpose: Purpose,
): Promise<Pick<OpenedSettings, 'setup' | 'hash' | 'edited' | 'print'>> {
  const text = kept.hasConfig ? await readFile(path.join(kept.folder, 'gatepost.yaml'), 'utf8') : '';
  const folder = path.dirname(kept.config);
  const document = parseDocument(text);
  document.set('rules', path.join(kept.folder, 'rules'));
  document.set('templates', path.join(kept.folder, 'templates'));
  const loaded = await parseConfig(String(document), folder, kept.hasConfig ? kept.config : undefined);
  const setup = await finishSetup(purpose, loaded);
  const edited: Config = { ...setup.config, rules: kept.rules, templates: kept.templates };
  const print = await fingerprintOf(placesOf(edited, kept.config));
  return { setup, hash: await setHash(setup.config, setup.bundle), edited, print };
}

function withAdvice(error: ConfigError, message: string): ConfigError {
  return new ConfigError([...error.problems, { severity: 'warning', message }], error.unread);
}

/** The data folder of a configuration that may be broken: what its `data` key says, as far as it can be read. */
async function dataFolder(wanted: string): Promise<string> {
  const folder = path.dirname(wanted);
  const text = await readFile(wanted, 'utf8').catch(() => '');
  const given = writtenData(text).replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g,
    (whole, name: string) => process.env[name] ?? whole,
  );
  const found = path.resolve(folder, given);
  const there = await access(found).then(
    () => true,
    () => false,
  );
  return there ? found : path.resolve(folder, './data');
}

/** What is broken elsewhere leaves the key readable; where it does not, a line that looks like it is taken. */
function writtenData(text: string): string {
  const parsed = parseDocument(text, { logLevel: 'silent', uniqueKeys: false }).get('data');
  if (typeof parsed === 'string') return parsed;
  const line = /^[ \t{]*["']?data["']?:[ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^#\s,}][^#\n,}]*?))[ \t]*(?:[#,}].*)?$/m.exec(
    text,
  );
  return line?.[1] ?? line?.[2] ?? line?.[3] ?? './data';
}
