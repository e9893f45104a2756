import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '../config/load.js';
import { canonicalAddress } from '../config/networks.js';
import { finishSetup, type Setup } from '../gateway/setup.js';
import { TRIAL_CLIENT } from '../gateway/trial/envelope.js';
import { startInspecting } from '../gateway/trial/inspecting.js';
import { countFiles, storedMails } from '../gateway/trial/mail-files.js';
import { UnusableMessage } from '../gateway/trial/message.js';
import { ordered } from '../gateway/trial/ordered.js';
import { replayMail } from '../gateway/trial/replay.js';
import { EXIT, UsageError } from './exit.js';
import { kindOfGiven } from './given.js';
import { progress } from './progress.js';
import { jsonReport, textReport, type ReplayReport } from './replay-report.js';
import { err } from './terminal.js';

export interface ReplayOptions {
  readonly against: string;
  readonly client?: string;
  readonly failOnChange?: boolean;
  readonly all?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

/** `gatepost replay`: runs stored mail through two rule sets and says what changes. Nothing is sent, stored or queued. */
export async function replay(place: string, options: ReplayOptions): Promise<void> {
  const client = canonicalAddress(options.client ?? TRIAL_CLIENT);
  if (client === undefined) throw new UsageError(`--client: "${options.client ?? ''}" is not an IP address`);
  const folder = path.resolve(place);
  const files = await filesOf(folder, place);
  const { config: file } = options;
  const loaded = await loadConfig(file);
  const before = await finishSetup('trial', loaded);
  const rules = await ruleFolder(options.against);
  const after = await finishSetup('trial', { ...loaded, config: { ...loaded.config, rules } });
  const report = options.json === true ? jsonReport() : textReport(options.all === true);
  const { seen, compared, changed } = await run(folder, files, client, before, after, report);
  if (seen > 0 || options.json === true) report.end();
  if (seen === 0)
    err(
      `There is no message in ${place}: files that end in .eml, mailboxes (mbox), Maildirs and files that begin as mail ` +
        'does are looked for, in the folders below it too.',
    );
  process.exitCode = compared === 0 || (changed > 0 && options.failOnChange === true) ? EXIT.no : EXIT.good;
}

interface Totals {
  readonly seen: number;
  /** Of those that were seen: others were empty, named no recipient, or could not be read. */
  readonly compared: number;
  readonly changed: number;
}

/** A mailbox of this size is worth starting threads for. */
const LARGE = 2 * 2 ** 20;

async function run(
  folder: string,
  files: number,
  client: string,
  before: Setup,
  after: Setup,
  report: ReplayReport,
): Promise<Totals> {
  const { config } = before;
  const many = files === 1 && (await stat(folder)).size > LARGE ? Infinity : files;
  const inspecting = await startInspecting(before, many, { against: after.bundle });
  const otherRules = new Set(after.bundle.rules.map(({ id }) => id));
  const bar = progress('messages');
  let changed = 0;
  let compared = 0;
  let done = 0;
  try {
    const mails = storedMails(folder, (name) => report.ignored(name));
    for await (const one of ordered(
      mails,
      inspecting.width,
      async (mail) => await replayMail(mail, { inspecting, config, session: { client }, otherRules }),
    )) {
      changed += one.changes.length;
      done += 1;
      if (one.problem === undefined) compared += 1;
      if (one.changes.length > 0) bar.clear();
      report.replayed(one);
      bar.update(done, files > 1 ? one.mail.files / files : undefined);
    }
  } finally {
    bar.clear();
    await inspecting.close();
  }
  return { seen: done, compared, changed };
}

async function filesOf(folder: string, given: string): Promise<number> {
  await kindOfGiven(given);
  try {
    return await countFiles(folder);
  } catch (error) {
    if (error instanceof UnusableMessage) throw new UsageError(`cannot read ${given}: ${error.message}`);
    throw error;
  }
}

/** The other rule set: its folder, the folder of a site with `rules` in it, or a gatepost.yaml. */
async function ruleFolder(given: string): Promise<string> {
  const place = path.resolve(given);
  if ((await kindOfGiven(given, '--against')) === 'file') return (await loadConfig(place)).config.rules;
  const names = await readdir(place);
  if (names.some((name) => name.endsWith('.yaml') && name !== 'gatepost.yaml')) return place;
  if (names.includes('rules')) return path.join(place, 'rules');
  throw new UsageError(`--against: there are no rule files (*.yaml) in ${given}`);
}
