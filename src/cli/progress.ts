const BAR = 30;
/** ms after which progress is worth showing. */
const PATIENCE = 1000;
/** ms between two drawings on a terminal, and between two lines elsewhere. */
const REDRAW = 100;
const LINE_INTERVAL = 10_000;

/** Shows how far a longer work has come: a bar on a terminal, a line now and then elsewhere. */
export interface Progress {
  /** @param part of the whole, from 0 to 1; undefined when it is not known */
  update(done: number, part: number | undefined): void;
  /** Takes the bar away, so that something can be printed or all is done. */
  clear(): void;
}

/**
 * @param what of which there are many, such as `messages`
 * @param now ms
 */
export function progress(
  what: string,
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr,
  now: () => number = Date.now,
): Progress {
  const started = now();
  let shown = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(done, part) {
      const time = now();
      if (time - started < PATIENCE || (!drawn && time - shown < (stream.isTTY ? REDRAW : LINE_INTERVAL))) return;
      if (drawn && time - shown < REDRAW) return;
      shown = time;
      const speed = Math.round(done / ((time - started) / 1000));
      const text = `${done} ${what}, ${speed} a second`;
      if (!stream.isTTY) {
        stream.write(`${text}\n`);
        return;
      }
      stream.write(`\r\x1b[2K${part === undefined ? '' : bar(part)}${text}`);
      drawn = true;
    },
    clear() {
      if (drawn) stream.write('\r\x1b[2K');
      drawn = false;
    },
  };
}

function bar(part: number): string {
  const full = Math.min(BAR, Math.floor(part * BAR));
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${Math.min(100, Math.floor(part * 100))} % `;
}
