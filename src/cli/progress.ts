const BAR = 30;
/** ms after which progress is worth showing, and between two lines where there is no terminal. */
const PATIENCE = 1000;
const LINE_INTERVAL = 10_000;

/** Shows how far a longer work has come: a bar on a terminal, a line now and then elsewhere. On standard error. */
export interface Progress {
  /** @param total 0 when it is not known */
  update(done: number, total: number): void;
  /** Takes the bar away. */
  end(): void;
}

/** @param what of which there are many, such as `messages` */
export function progress(
  what: string,
  stream: NodeJS.WriteStream = process.stderr,
  now: () => number = Date.now,
): Progress {
  const started = now();
  let shown = started;
  let drawn = false;
  return {
    update(done, total) {
      const time = now();
      if (time - started < PATIENCE || time - shown < (stream.isTTY ? 100 : drawn ? LINE_INTERVAL : PATIENCE)) return;
      shown = time;
      drawn = true;
      const count = `${done}${total > 0 ? ` of ${total}` : ''} ${what}`;
      const speed = `${Math.round(done / ((time - started) / 1000))} a second`;
      if (stream.isTTY) stream.write(`\r\x1b[2K${bar(done, total)}${count}, ${speed}`);
      else stream.write(`${count}, ${speed}\n`);
    },
    end() {
      if (drawn && stream.isTTY) stream.write('\r\x1b[2K');
      drawn = false;
    },
  };
}

function bar(done: number, total: number): string {
  if (total <= 0) return '';
  const full = Math.min(BAR, Math.floor((done / total) * BAR));
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] `;
}
