import { vi } from 'vitest';

/** What a command printed, and why it gave up, if it did. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly error: string;
}

/** Runs a command of the program in this process: a fraction of the cost of another one. */
export async function printedBy(command: () => Promise<void>): Promise<Printed> {
  const texts = { stdout: '', stderr: '' };
  const take = (name: keyof typeof texts) => (chunk: string | Uint8Array) => {
    texts[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take('stdout')),
    vi.spyOn(process.stderr, 'write').mockImplementation(take('stderr')),
  ];
  const { exitCode } = process;
  let error = '';
  try {
    await command();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.exitCode = exitCode;
  }
  return { ...texts, error };
}
