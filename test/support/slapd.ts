import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.js';

const PROGRAM = '/usr/sbin/slapd';
export const HAS_SLAPD = existsSync(PROGRAM);

export const BASE = 'dc=example,dc=org';
export const ADMIN = `cn=admin,${BASE}`;
/** May read all, but not many entries. */
export const LIMITED = `cn=limited,${BASE}`;
export const PASSWORD = 'only for tests';

const TLS = path.join(import.meta.dirname, '..', 'fixtures', 'tls');
export const CA = path.join(TLS, 'cert.pem');

export interface Slapd {
  readonly url: string;
  readonly secureUrl: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/** Starts a server of its own in a temporary folder, with these entries below `BASE`. */
export async function startSlapd(ldif: string): Promise<Slapd> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'gatepost-slapd-'));
  const [port, securePort] = [await freePort(), await freePort()];
  const conf = path.join(folder, 'slapd.conf');
  await mkdir(path.join(folder, 'db'));
  await writeFile(
    conf,
    [
      ...['core', 'cosine', 'nis', 'inetorgperson', 'misc'].map((name) => `include /etc/ldap/schema/${name}.schema`),
      'modulepath /usr/lib/ldap',
      'moduleload back_mdb',
      'moduleload memberof',
      `pidfile ${folder}/slapd.pid`,
      `TLSCertificateFile ${TLS}/cert.pem`,
      `TLSCertificateKeyFile ${TLS}/key.pem`,
      `TLSCACertificateFile ${TLS}/cert.pem`,
      'database mdb',
      'maxsize 1073741824',
      `suffix "${BASE}"`,
      `rootdn "cn=root,${BASE}"`,
      'rootpw root',
      `directory ${folder}/db`,
      'dbnosync',
      'index objectClass,uid,cn,memberOf eq',
      'overlay memberof',
      `limits dn.exact="${ADMIN}" size.soft=500 size.hard=500 size.prtotal=unlimited`,
      `limits dn.exact="${LIMITED}" size.soft=500 size.hard=1000 size.prtotal=1000`,
      'access to attrs=userPassword by anonymous auth by * none',
      `access to dn.subtree="ou=Hidden,${BASE}" by * none`,
      `access to * by dn.exact="${ADMIN}" read by dn.exact="${LIMITED}" read by dn.exact="cn=root,${BASE}" manage by anonymous auth by * none`,
      '',
    ].join('\n'),
  );
  const logins = [ADMIN, LIMITED].map(
    (dn) =>
      `dn: ${dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\nuserPassword: ${PASSWORD}\n\n`,
  );
  const head = `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\n${logins.join('')}`;
  const file = path.join(folder, 'entries.ldif');
  await writeFile(file, head + ldif);
  const added = spawnSync('/usr/sbin/slapadd', ['-q', '-f', conf, '-l', file], { encoding: 'utf8' });
  if (added.status !== 0) throw new Error(added.stderr);

  let running: ChildProcess | undefined;
  const server: Slapd = {
    url: `ldap://127.0.0.1:${port}`,
    secureUrl: `ldaps://localhost:${securePort}`,
    async start() {
      const urls = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${securePort}/`;
      running = spawn(PROGRAM, ['-f', conf, '-h', urls, '-d', '0'], { stdio: 'ignore' });
      await Promise.race([listens(port), once(running, 'exit').then(() => Promise.reject(new Error('slapd ended')))]);
    },
    async stop() {
      const process = running;
      running = undefined;
      if (process?.exitCode !== null) return;
      process.kill('SIGKILL');
      await once(process, 'exit');
    },
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Resolves when the port takes connections. */
async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    const up = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
