import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const RUNNER = path.join(import.meta.dirname, 'command-runner.mjs');

let runner: ChildProcess | undefined;
let count = 0;
const waiting = new Map<number, { resolve: (result: CommandResult) => void; reject: (error: Error) => void }>();

/**
 * Runs a command of the built program to its end, in a process that has the program loaded and stays for the next one:
 * that costs a tenth of a process for each. Commands run one after the other.
 */
export async function runInTurn(args: readonly string[], cwd: string): Promise<CommandResult> {
  const child = runner ?? startRunner();
  count += 1;
  const id = count;
  return await new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    child.send({ id, args, cwd, env: process.env });
  });
}

function startRunner(): ChildProcess {
  const child = fork(RUNNER, { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', (answer: { readonly id: number; readonly result: CommandResult }) => {
    waiting.get(answer.id)?.resolve(answer.result);
    waiting.delete(answer.id);
  });
  child.on('exit', (code) => {
    runner = undefined;
    for (const { reject } of waiting.values()) reject(new Error(`the process for commands ended with ${code}`));
    waiting.clear();
  });
  // It ends with us, and does not keep us.
  child.unref();
  child.channel?.unref();
  runner = child;
  return child;
}
