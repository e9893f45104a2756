import { readdirSync, readFileSync } from 'node:fs';
import { chmod, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadSetAside } from '../../src/delivery/spool-folder.js';
import { decodeBatch } from '../../src/notifications/outbox/batch.js';
import { makeSite, type Site } from '../support/gateway.js';
import { GENERAL, RULES } from './mails.js';

/** Variable of the environment that tells a gateway the name of its life. */
export const LIFE = 'TORTURE_LIFE';

/** Connections to the next hop at a time; to the server for notifications there are fewer. */
export const CONNECTIONS = 20;

export interface TortureSite extends Site {
  readonly data: string;
}

export interface TortureSiteOptions {
  readonly hop: number;
  readonly server: number;
  readonly queue: string;
  /** Further lines of the configuration. */
  readonly more?: string;
  /** Below `delivery.spool`. */
  readonly spool?: string;
}

/** A site whose retries come at once. The database lies in its data folder, whoever runs the test. */
export async function makeTortureSite(options: TortureSiteOptions): Promise<TortureSite> {
  const site = await makeSite(
    `smtp: { listen: ["127.0.0.1:0"], hostname: "\${${LIFE}}", maxConnectionsPerClient: 200, timeouts: { stop: 3s } }
data: ./data
domains: [example.org]
delivery:
  nextHop: "smtp://127.0.0.1:${options.hop}?tls=off"
  inlineTimeout: 1s
  connections: ${CONNECTIONS}
  retry: { delays: [500ms], lifetime: 1h }
  ${options.spool ?? ''}
detectors: { content: {} }
scan: { threads: 1 }
health: 1s
notifications:
  server: "smtp://127.0.0.1:${options.server}?tls=off"
  general: [${GENERAL}]
  rate: off
  retry: { delays: [500ms], lifetime: 1h }
queue: ${options.queue}
${options.more ?? ''}
`,
    { 'rules/50-torture.yaml': RULES },
  );
  await chmod(site.folder, 0o755);
  return { ...site, data: path.join(site.folder, 'data') };
}

/** Names of what is not settled yet: items of the spool, files of the outbox. */
export async function unsettled(data: string): Promise<string[]> {
  const names = await Promise.all(
    [
      ['spool', '.json'],
      ['spool/incoming', '.json'],
      ['outbox', '.jsonl'],
    ].map(async ([folder = '', ending = '']) =>
      (await readdir(path.join(data, folder)).catch(() => [])).filter((name) => name.endsWith(ending)),
    ),
  );
  return names.flat();
}

/** What was set aside as damaged, and of those what is not damaged at all. */
export async function corrupt(data: string): Promise<{ readonly names: string[]; readonly complete: string[] }> {
  const [items = [], batches = []] = await Promise.all(
    ['spool/corrupt', 'outbox/corrupt'].map((folder) => readdir(path.join(data, folder)).catch(() => [])),
  );
  const complete: string[] = [];
  for (const name of items.filter((each) => each.endsWith('.json'))) {
    const [whole] = await Promise.allSettled([
      loadSetAside(path.join(data, 'spool', 'corrupt'), name.slice(0, -'.json'.length)),
    ]);
    if (whole.status === 'fulfilled') complete.push(name);
  }
  for (const name of batches) {
    const { lines } = decodeBatch(await readFile(path.join(data, 'outbox', 'corrupt', name)));
    if (lines.length > 0) complete.push(name);
  }
  return { names: [...items, ...batches], complete };
}

/** Process ID of the embedded database, while there is one. */
export function postmaster(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(path.join(data, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
    return pid > 1 && readFileSync(`/proc/${pid}/comm`, 'utf8').includes('postgres') ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Processes of the embedded database that serve a client. */
export function backends(data: string): number[] {
  const parent = postmaster(data);
  if (parent === undefined) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return (
          Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]) === parent &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('[local]')
        );
      } catch {
        return false;
      }
    });
}
