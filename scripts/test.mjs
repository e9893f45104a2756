// "npm test": type check, lint, format check, then the tests. Says once what is left out for want of a server.
import { execFileSync, spawnSync } from 'node:child_process';
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

const only = process.argv.slice(2);
step('build', process.execPath, [path.join(root, 'scripts', 'build.mjs')]);
if (only.length === 0) {
  step('type check', bin('tsc'), ['--noEmit', '-p', path.join(root, 'tsconfig.json')]);
  step('lint', bin('eslint'), ['.', '--concurrency', String(Math.min(os.availableParallelism(), 4))]);
  step('format', bin('prettier'), ['--check', '--log-level', 'warn', '.']);
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
