import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from './errors.js';

const run = promisify(execFile);

/** Whether a process of that ID exists, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

/**
 * When a process was started, in the system's own notation: with it a process ID that has been given away anew is
 * told from the process that had it before. Empty when the process is gone or the system does not say; `ended` for one
 * that has ended and that its parent has not asked for yet.
 */
export async function startOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // The second field is the program's name in parentheses and may hold anything; start time is field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
      return `${await bootId()}/${fields[19] ?? ''}`;
    } catch {
      return '';
    }
  }
  try {
    return (await run('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim();
  } catch {
    return '';
  }
}

/** Name of the program that a process runs; empty when it is gone. */
export async function programOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
    return (await run('ps', ['-o', 'comm=', '-p', String(pid)])).stdout.trim();
  } catch {
    return '';
  }
}

/** Start times count from the boot: the same number after a restart means nothing. */
async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return '';
  }
}
