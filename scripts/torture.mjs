// "npm run torture": the long forms of the tests in test/torture. Options go to them by the environment.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

const root = path.join(import.meta.dirname, '..');
const PARTS = readdirSync(path.join(root, 'test', 'torture'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.test.ts'.length));
const USAGE = `npm run torture [-- PART...] [--seed N] [--kills N] [--reloads N] [--minutes N] [--queue embedded|redis]

Runs the long forms of test/torture/PART.test.ts; all of them without a PART.
Parts: ${PARTS.join(', ')}
  --seed N     repeats the choices of an earlier run, which has printed its seed
  --kills N    kills of the gateway for each queue (300)
  --reloads N  reloads under load (1000)
  --minutes N  how long a cluster is spoiled (10)
  --queue Q    only this job queue
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    kills: { type: 'string' },
    reloads: { type: 'string' },
    minutes: { type: 'string' },
    queue: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const unknown = positionals.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) {
  process.stderr.write(`There is no part ${unknown.join(', ')}.\n\n${USAGE}`);
  process.exit(2);
}
const run = (command, args, env = process.env) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
};
if (process.env.GATEPOST_PROGRAM === undefined) run(process.execPath, [path.join(root, 'scripts', 'build.mjs')]);
const { seed, kills, reloads, minutes, queue } = values;
const settings = Object.entries({ seed, kills, reloads, minutes, queue })
  .filter(([, value]) => value !== undefined)
  .map(([name, value]) => [`TORTURE_${name.toUpperCase()}`, value]);
/** What belongs to a part and is in another file. */
const WITH = {
  notifications: ['test/torture/notification-queue.test.ts', 'test/notifications/sending.test.ts'],
};
const parts =
  positionals.length === 0
    ? ['test/torture/', ...WITH.notifications]
    : positionals.flatMap((part) => [`test/torture/${part}.test.ts`, ...(WITH[part] ?? [])]);
run(path.join(root, 'node_modules', '.bin', 'vitest'), ['run', ...parts, '--disable-console-intercept'], {
  ...process.env,
  PATH: `${process.env.PATH ?? ''}:/usr/sbin`,
  TORTURE: 'long',
  ...Object.fromEntries(settings),
});
