import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** What opens a file as a double click would, without a shell. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'open', win32: 'explorer.exe' };
/** ms after which a program that still runs is taken to have a window. */
const PATIENCE = 1500;

/** Writes a page to a new temporary folder, which only this account can read, and shows it in the browser. */
export async function openInBrowser(
  name: string,
  html: string,
): Promise<{ readonly file: string; readonly opened: boolean }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-preview-'));
  const file = path.join(folder, path.basename(name));
  await writeFile(file, html, { mode: 0o600 });
  const command = OPENERS[process.platform] ?? 'xdg-open';
  return { file, opened: await starts(command, file) };
}

async function starts(command: string, file: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const child = spawn(command, [file], { detached: true, stdio: 'ignore' });
    const timer = setTimeout(() => resolve(true), PATIENCE);
    child.on('error', () => {
      clearTimeout(timer);
      resolve(false);
    });
    child.on('exit', (code) => {
      clearTimeout(timer);
      // That of Windows says 1 for good.
      resolve(code === 0 || process.platform === 'win32');
    });
    child.unref();
  });
}
