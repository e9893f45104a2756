import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.js';
import { until } from './until.js';

const MASTER = '/usr/lib/postfix/sbin/master';

/** Postfix has to be started as root, and has to be there. */
export const CAN_POSTFIX = existsSync(MASTER) && process.getuid?.() === 0;

export interface Postfix {
  readonly port: number;
  /** `smtp://127.0.0.1:port` */
  readonly url: string;
  /** The same of the further servers. */
  readonly others: readonly string[];
  /** Its log so far. */
  log(): Promise<string>;
  stop(): Promise<void>;
}

export interface PostfixOptions {
  /** Port on 127.0.0.1 that it relays all mail to. */
  readonly relayTo: number;
  /** Further lines of main.cf. */
  readonly settings?: readonly string[];
  /** Settings (`name=value`) of further servers of the same Postfix, each on a port of its own. */
  readonly others?: readonly (readonly string[])[];
  /** Files beside main.cf. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Folders of a queue, with those that belong to Postfix's own user. */
const QUEUE = ['active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'maildrop', 'private'];
const OWNED = [...QUEUE, 'public', 'saved', 'trace'];

/** Debian's Postfix with a configuration and a queue of its own, on a free port; what it takes it relays. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-postfix-'));
  await chmod(folder, 0o755);
  const [etc, queue, data, logFile] = ['etc', 'queue', 'data', 'mail.log'].map((name) => path.join(folder, name));
  if (etc === undefined || queue === undefined || data === undefined || logFile === undefined) throw new Error('paths');
  const { uid, gid } = postfixUser();
  for (const name of [etc, queue, data, path.join(queue, 'pid')]) await mkdir(name, { mode: 0o755 });
  await chown(data, uid, gid);
  for (const name of OWNED) {
    await mkdir(path.join(queue, name), { mode: 0o700 });
    await chown(path.join(queue, name), uid, gid);
  }
  const { relayTo, settings = [], others = [], files = {} } = options;
  const servers: { readonly port: number; readonly settings: readonly string[] }[] = [];
  for (const one of [[], ...others]) servers.push({ port: await freePort(), settings: one });
  const ports = servers.map((server) => server.port);
  const [port = 0, ...otherPorts] = ports;
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(etc, name), text);
  await writeFile(path.join(etc, 'main.cf'), `${mainCf(folder, relayTo).concat(settings).join('\n')}\n`);
  await writeFile(path.join(etc, 'master.cf'), `${masterCf(servers).join('\n')}\n`);
  const master = spawn(MASTER, ['-c', etc, '-d'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => void master.once('exit', () => resolve()));
  const log = async (): Promise<string> => await readFile(logFile, 'utf8').catch(() => '');
  const stop = async (): Promise<void> => {
    master.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const one of ports) await until('Postfix', async () => await greets(one));
  } catch (error) {
    const said = await log();
    await stop();
    throw new Error(`Postfix did not start: ${said}`, { cause: error });
  }
  const urlOf = (one: number): string => `smtp://127.0.0.1:${one}`;
  return { port, url: urlOf(port), others: otherPorts.map(urlOf), log, stop };
}

function mainCf(folder: string, relayTo: number): string[] {
  return [
    'compatibility_level = 3.6',
    `queue_directory = ${folder}/queue`,
    `data_directory = ${folder}/data`,
    `maillog_file = ${folder}/mail.log`,
    `maillog_file_prefixes = ${folder}`,
    'myhostname = postfix.test',
    'mydestination =',
    'alias_maps =',
    'local_recipient_maps =',
    'mynetworks = 127.0.0.0/8',
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    `relayhost = [127.0.0.1]:${relayTo}`,
    'smtp_dns_support_level = disabled',
    'smtpd_peername_lookup = no',
    'smtputf8_enable = yes',
    'smtpd_tls_received_header = yes',
    'smtpd_tls_loglevel = 1',
    'smtp_tls_loglevel = 1',
    'max_idle = 20s',
  ];
}

function masterCf(servers: readonly { readonly port: number; readonly settings: readonly string[] }[]): string[] {
  return [
    ...servers.flatMap(({ port, settings }) => [
      `127.0.0.1:${port} inet n - n - - smtpd`,
      ...settings.map((setting) => `  -o ${setting}`),
    ]),
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ];
}

function postfixUser(): { readonly uid: number; readonly gid: number } {
  const id = (option: string): number => Number(execFileSync('id', [option, 'postfix'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function greets(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('data', (bytes) => {
      socket.end('QUIT\r\n');
      resolve(bytes.toString().startsWith('220'));
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
