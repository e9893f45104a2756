import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askControl, NotRunningError } from '../gateway/control/socket.js';
import { workersFolder } from '../gateway/workers-folder.js';
import { checkDataFolder } from './data-folder.js';
import { EXIT } from './exit.js';
import { loadSite } from './site-config.js';
import { askProcesses } from './status-processes.js';
import { statusText } from './status-text.js';
import { err, json, out } from './terminal.js';
import { version } from './version.js';

export interface StatusOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
}

type Sections = Readonly<Record<string, unknown>>;

/** ms between two pictures. */
const EVERY = 2000;

/** `gatepost status`: asks the running gateway over its control socket. */
export async function status(options: StatusOptions): Promise<void> {
  const { config } = await loadSite(options.config);
  await checkDataFolder(config.data);
  for (;;) {
    let answer: Sections;
    try {
      answer = await askAny(config.data);
    } catch (error) {
      if (!(error instanceof NotRunningError)) throw error;
      if (options.json === true) json({ running: false, reason: error.message });
      else err(`Gatepost does not run here: ${error.message}.`);
      process.exitCode = EXIT.no;
      if (options.watch !== true || !process.stdout.isTTY) return;
      await sleep(EVERY);
      continue;
    }
    process.exitCode = EXIT.good;
    const sections = { running: true, version: version(), ...answer };
    if (options.json === true) json(sections);
    else {
      // Clears the screen: the picture stays where it is.
      if (options.watch === true && process.stdout.isTTY) process.stdout.write('\x1b[2J\x1b[H');
      out(statusText(sections, Date.now(), process.stdout.isTTY ? process.stdout.columns : undefined));
    }
    if (options.watch !== true) return;
    await sleep(EVERY);
  }
}

/** All processes of the gateway on that folder; where there is none, the first of the workers. */
async function askAny(data: string): Promise<Sections> {
  try {
    return await askProcesses(data);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    for (const place of (await readdir(workersFolder(data)).catch(() => [])).sort()) {
      try {
        return toRecord(await askControl(path.join(workersFolder(data), place), 'status'));
      } catch (gone) {
        if (!(gone instanceof NotRunningError)) throw gone;
      }
    }
    throw error;
  }
}

function toRecord(value: unknown): Sections {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
