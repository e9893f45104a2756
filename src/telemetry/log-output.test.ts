import { describe, expect, it } from 'vitest';
import { LogOutput, type WriteCalls } from './log-output.js';

/** A file that takes so many bytes more, then fails. */
class Disk implements WriteCalls {
  text = '';
  room = Infinity;
  code = 'ENOSPC';

  writeSync = (_: number, bytes: string | NodeJS.ArrayBufferView): number => {
    const buffer = Buffer.from(
      typeof bytes === 'string'
        ? bytes
        : new Uint8Array(bytes.buffer).slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
    );
    if (this.room <= 0) throw Object.assign(new Error(`${this.code}: cannot write`), { code: this.code });
    const part = buffer.subarray(0, Math.min(buffer.length, this.room));
    this.room -= part.length;
    this.text += part.toString();
    return part.length;
  };

  write = (fd: number, bytes: Buffer, done: (error: NodeJS.ErrnoException | null, count: number) => void): void => {
    setImmediate(() => {
      let count = 0;
      try {
        count = this.writeSync(fd, bytes);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)), 0);
        return;
      }
      done(null, count);
    });
  };
}

function outputOn(disk: Disk, sync = false): { readonly output: LogOutput; readonly losses: string[] } {
  const losses: string[] = [];
  const notice = (lost: number): string => `lost ${lost}\n`;
  const output = new LogOutput(99, { sync, notice, onLoss: (reason) => losses.push(reason) }, disk);
  return { output, losses };
}

const later = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe.each([false, true])('the output of the log (each line at once: %s)', (sync) => {
  it('writes all lines in order, also where a write takes only a part', async () => {
    const disk = new Disk();
    const { output, losses } = outputOn(disk, sync);
    const lines = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`);
    for (const line of lines) output.write(line);
    await later();
    expect(disk.text).toBe(lines.join(''));
    expect(losses).toEqual([]);
  });

  it('loses what a full disk does not take, and says how much once there is room', async () => {
    const disk = new Disk();
    const { output, losses } = outputOn(disk, sync);
    output.write('one\n');
    await later();
    disk.room = 2;
    for (const line of ['two\n', 'three\n', 'four\n']) {
      output.write(line);
      await later();
    }
    expect(disk.text).toBe('one\ntw');
    expect(losses).toEqual(['ENOSPC: cannot write']);
    disk.room = Infinity;
    output.write('five\n');
    await later();
    expect(disk.text).toBe('one\ntw\nlost 3\nfive\n');
    output.write('six\n');
    await later();
    expect(disk.text).toBe('one\ntw\nlost 3\nfive\nsix\n');
  });

  it('says no more once its reader is gone', async () => {
    const disk = new Disk();
    const { output, losses } = outputOn(disk, sync);
    Object.assign(disk, { room: 0, code: 'EPIPE' });
    output.write('one\n');
    await later();
    disk.room = Infinity;
    output.write('two\n');
    await later();
    expect({ text: disk.text, losses }).toEqual({ text: '', losses: [] });
  });

  it('waits for a reader that takes nothing just now, and loses only what is far too much', async () => {
    const disk = new Disk();
    const { output, losses } = outputOn(disk, sync);
    Object.assign(disk, { room: 0, code: 'EAGAIN' });
    const line = `${'x'.repeat(2 ** 20 - 1)}\n`;
    for (let i = 0; i < 20; i += 1) output.write(line);
    disk.room = Infinity;
    const told = (): number => Number(/^lost (\d+)$/m.exec(disk.text)?.[1] ?? NaN);
    const written = (): number => disk.text.split('\n').filter((one) => one.startsWith('xxx')).length;
    await expect.poll(() => written() + told()).toBe(20);
    expect(told()).toBeGreaterThan(2);
    expect(written() * line.length).toBeGreaterThan(16 * 2 ** 20);
    expect(losses).toEqual(['its reader stands still']);
  });
});
