import path from 'node:path';
import { PROGRAM_FOLDER, type Config } from '../../config/load.js';
import { ConfigError, type Problem } from '../../config/problems.js';
import type { DetectorSpec } from '../../detectors/types.js';
import type { RuleBundle } from '../../rules/model.js';
import { loadSetup, type Purpose } from '../setup.js';
import { filesOf } from './fingerprint.js';
import { setHash } from './set-hash.js';

const SHIPPED = path.join(PROGRAM_FOLDER, 'rules');

/** What is in force, as far as a new set is measured by it. */
export interface Before {
  /** Folder of the rules in force; absent when it held no rule files. */
  readonly rules?: string;
}

/** What is to be loaded. */
export interface LoadOrder {
  readonly purpose: Purpose;
  /** Path given with --config. */
  readonly file?: string;
  readonly cwd: string;
  readonly before: Before;
}

/** A checked set, or what is wrong with it. Plain data: it comes from a thread. */
export type Judgement =
  | {
      readonly ok: true;
      readonly bundle: RuleBundle;
      readonly specs: readonly DetectorSpec[];
      readonly warnings: readonly Problem[];
      readonly hash: string;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Loads and checks everything that an admin edits, and what only matters to a gateway that runs already: that the rules
 * have not just gone with a folder.
 */
export async function judge({ purpose, file, cwd, before }: LoadOrder): Promise<Judgement> {
  try {
    const setup = await loadSetup(purpose, file, cwd);
    const problems = await vanished(setup.config, before);
    if (problems.length > 0) return { ok: false, problems };
    const { bundle, specs, warnings } = setup;
    return { ok: true, bundle, specs, warnings, hash: await setHash(setup.config, bundle) };
  } catch (error) {
    if (error instanceof ConfigError) return { ok: false, problems: error.problems };
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [{ severity: 'error', message: `the settings cannot be loaded: ${reason}` }] };
  }
}

/** Whether a rule folder holds rule files. */
export async function hasRules(folder: string): Promise<boolean> {
  return (await filesOf(folder, /\.yaml$/)).length > 0;
}

/**
 * A folder that is unmounted, or removed and not yet written anew, must not put the shipped rules in the place of the
 * site's own.
 */
async function vanished({ rules }: Config, before: Before): Promise<Problem[]> {
  if (before.rules === undefined || before.rules === SHIPPED) return [];
  if (rules !== SHIPPED && (await hasRules(rules))) return [];
  if (rules === SHIPPED && (await hasRules(before.rules))) return [];
  return [
    {
      severity: 'error',
      message: `there are no rule files in ${before.rules} any more`,
      hint: 'to do without rules of your own, leave one file there that holds `rules: []`, or restart',
    },
  ];
}
