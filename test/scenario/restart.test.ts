import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';
import { Client } from '../smtp/harness.js';
import { makeSite } from '../support/gateway.js';
import { makeMail } from '../support/mail.js';
import { has } from '../support/programs.js';
import { until } from '../support/until.js';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'bin', 'gatepost.js');

/** A service manager in a few lines: holds a listening socket, and starts the program again whenever it ends. */
const MANAGER = `
use Socket; use POSIX; $| = 1; $^F = 10;
socket(my $s, PF_INET, SOCK_STREAM, 0) or die; bind($s, sockaddr_in(0, INADDR_LOOPBACK)) or die; listen($s, 128) or die;
my ($port) = sockaddr_in(getsockname($s)); print "{\\"port\\":$port}\\n";
dup2(fileno($s), 3) if fileno($s) != 3;
my $child; my $over = 0; $SIG{TERM} = sub { $over = 1; kill 'TERM', $child };
while (!$over) {
  $child = fork();
  if (!$child) { $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; exec @ARGV or die }
  print "{\\"child\\":$child}\\n";
  1 while waitpid($child, 0) != $child;
}
`;

const event = z.union([
  z.object({ port: z.number() }),
  z.object({ child: z.number() }),
  z.object({ msg: z.literal('ready') }),
]);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 60_000);

it.skipIf(!has('perl'))(
  'refuses no connection while it is restarted under a service manager that holds its socket',
  async () => {
    const site = await makeSite('smtp: { listen: ["127.0.0.1:0"] }\ndelivery: { nextHop: "maildir:./inbox" }\n');
    closing.push(() => site.remove());
    const manager = spawn(
      'perl',
      ['-e', MANAGER, process.execPath, PROGRAM, 'start', '--json', '--config', site.config],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = new Promise((resolve) => manager.once('exit', resolve));
    closing.push(async () => {
      manager.kill('SIGTERM');
      await ended;
    });
    const seen = { port: 0, child: 0, starts: 0 };
    createInterface({ input: manager.stdout }).on('line', (line) => {
      const { data } = event.safeParse(JSON.parse(line));
      if (data === undefined) return;
      if ('port' in data) seen.port = data.port;
      else if ('child' in data) seen.child = data.child;
      else seen.starts += 1;
    });
    await until('the first start', () => Promise.resolve(seen.starts === 1));

    const state = { taken: 0, told: 0, refused: [] as string[], over: false };
    const sender = (async () => {
      while (!state.over) {
        const client = await Client.connect(seen.port);
        const greeting = await client.reply();
        if (!greeting.startsWith('220')) state.refused.push(greeting);
        const reply = await client
          .command('EHLO client.example')
          .then(() => client.send(makeMail(`text ${state.taken}`)))
          .catch((error: unknown) => String(error));
        // Between the commands of a session a client may be told to come back.
        if (reply.startsWith('250')) state.taken += 1;
        else state.told += 1;
        client.destroy();
      }
    })();
    await until('some mail', () => Promise.resolve(state.taken >= 20));
    process.kill(seen.child, 'SIGTERM');
    await until('the second start', () => Promise.resolve(seen.starts === 2));
    const before = state.taken;
    await until('mail after the restart', () => Promise.resolve(state.taken >= before + 20));
    state.over = true;
    await sender;

    expect(state.refused).toEqual([]);
    expect(state.told).toBeLessThanOrEqual(1);
    await until('all mail in the inbox', async () => (await site.inbox()).length === state.taken);
  },
);
