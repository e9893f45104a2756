import { mkdir, stat } from 'node:fs/promises';

/** Where as root everything lies that the server's account must reach. */
export const SYSTEM_FOLDER = '/var/lib/gatepost';

/** Creates it. @throws Error when others than root can change it: what root does in it could be led elsewhere */
export async function makeSystemFolder(): Promise<void> {
  await mkdir(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
  const { uid, mode } = await stat(SYSTEM_FOLDER);
  if (uid !== 0 || (mode & 0o022) !== 0)
    throw new Error(`${SYSTEM_FOLDER} must belong to root and be writable for root alone`);
}
