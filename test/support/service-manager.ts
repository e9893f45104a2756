import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

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

export interface ServiceManager {
  /** Of the socket that it holds. */
  readonly port: number;
  /** Process ID of the program. */
  readonly child: number;
  /** How often the program was ready. */
  readonly starts: number;
  /** Ends the program in the ordinary way, and itself. */
  stop(): Promise<void>;
}

/** Starts the program under a service manager that hands it its socket (LISTEN_FDS). Needs perl. */
export function startUnderManager(config: string): ServiceManager {
  const manager = spawn('perl', ['-e', MANAGER, process.execPath, PROGRAM, 'start', '--json', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => manager.once('exit', resolve));
  const seen = { port: 0, child: 0, starts: 0 };
  createInterface({ input: manager.stdout }).on('line', (line) => {
    const { data } = event.safeParse(JSON.parse(line));
    if (data === undefined) return;
    if ('port' in data) seen.port = data.port;
    else if ('child' in data) seen.child = data.child;
    else seen.starts += 1;
  });
  return {
    get port() {
      return seen.port;
    },
    get child() {
      return seen.child;
    },
    get starts() {
      return seen.starts;
    },
    stop: async () => {
      manager.kill('SIGTERM');
      await ended;
    },
  };
}
