// "npm test": type check, lint, format check, then the tests. Says once what is left out for want of a server.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const bin = (name) => path.join(root, 'node_modules', '.bin', name);

function step(title, command, args) {
  const start = Date.now();
  process.stdout.write(`\n== ${title}\n`);
  try {
    execFileSync(command, args, { stdio: 'inherit', cwd: root });
  } catch {
    process.stdout.write(`\n${title}: failed\n`);
    process.exit(1);
  }
  process.stdout.write(`== ${title}: ok (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
}

/** Steps that use one core each, side by side. What they say comes when they have ended, one after the other. */
async function together(steps) {
  const start = Date.now();
  process.stdout.write(`\n== ${steps.map(({ title }) => title).join(', ')}\n`);
  const ended = await Promise.all(
    steps.map(async ({ title, command, args }) => {
      const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
      const said = [];
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
      const code = await new Promise((resolve) => {
        child.once('error', () => resolve(1));
        child.once('close', resolve);
      });
      return { title, code, said: Buffer.concat(said) };
    }),
  );
  for (const { said } of ended) process.stdout.write(said);
  const failed = ended.filter(({ code }) => code !== 0).map(({ title }) => title);
  if (failed.length > 0) {
    process.stdout.write(`\n${failed.join(', ')}: failed\n`);
    process.exit(1);
  }
  process.stdout.write(`== ok (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
}

const only = process.argv.slice(2);
step('build', process.execPath, [path.join(root, 'scripts', 'build.mjs')]);
if (only.length === 0) {
  await together([
    { title: 'type check', command: bin('tsc'), args: ['--noEmit', '-p', path.join(root, 'tsconfig.json')] },
    { title: 'format', command: bin('prettier'), args: ['--check', '--log-level', 'warn', '.'] },
  ]);
  step('lint', bin('eslint'), ['.', '--concurrency', String(Math.min(os.availableParallelism(), 4))]);
}
// Real parts that tests start themselves, and the Debian packages that bring them.
const tools = {
  'redis-server': 'redis-server',
  'smtp-sink': 'postfix',
  clamd: 'clamav-daemon',
  rspamd: 'rspamd',
  spamd: 'spamd',
  '7z': 'p7zip-full',
  genisoimage: 'genisoimage',
  gcab: 'gcab',
  xz: 'xz-utils',
  bzip2: 'bzip2',
  slapd: 'slapd',
};
process.env.PATH += ':/usr/sbin';
const missing = Object.keys(tools).filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
if (missing.length > 0) {
  const packages = missing.map((tool) => tools[tool]).join(' ');
  process.stdout.write(
    `\nLeft out: the tests that need ${missing.join(', ')}, which this machine does not have. To run them, install them (Debian: apt-get install ${packages}).\n`,
  );
  if (process.env.CI !== undefined) process.exit(1);
}
step('tests', bin('vitest'), ['run', ...only]);
