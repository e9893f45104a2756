import type { Fingerprint } from './fingerprint.js';

/** ms between two looks at the files. */
const INTERVAL = 1_000;
/** ms for which changed files must be still before they are loaded: editors and `git pull` write in several steps. */
const STILL = 250;

export interface WatchOptions {
  /** How the files are now. */
  readonly look: () => Promise<Fingerprint>;
  /** How they were when they were last loaded; undefined: never. */
  readonly loaded: () => Fingerprint | undefined;
  /** Whether the last load failed: then the files that detectors follow count as well. */
  readonly failed: () => boolean;
  /** They have changed, and are still. */
  readonly changed: () => void;
  /** A look failed. */
  readonly trouble: (error: unknown) => void;
  readonly interval?: number;
  readonly still?: number;
}

/**
 * Follows files by looking at them again and again. Notices of the system (inotify) would come sooner, but they miss
 * changes on network file systems, behind symbolic links and in folders that are gone for a moment, which is how rule
 * sets are rolled out; a look costs a few system calls for each file.
 */
export class FileWatch {
  private readonly options: WatchOptions;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  /** Of the look before, while a change is not still. */
  private before: string | undefined;
  private closed = false;

  constructor(options: WatchOptions) {
    this.options = options;
    this.wait(options.interval ?? INTERVAL);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private wait(ms: number): void {
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.looking = this.look().then(
        (next) => this.wait(next),
        (error: unknown) => {
          this.options.trouble(error);
          this.wait(this.options.interval ?? INTERVAL);
        },
      );
    }, ms);
    this.timer.unref();
  }

  /** @returns ms until the next look */
  private async look(): Promise<number> {
    const { look, loaded, failed, changed, interval = INTERVAL, still = STILL } = this.options;
    const found = await look();
    const known = loaded();
    const all = failed();
    const now = textOf(found, all);
    if (known !== undefined && now === textOf(known, all)) {
      this.before = undefined;
      return interval;
    }
    if (this.before !== now) {
      this.before = now;
      return still;
    }
    this.before = undefined;
    changed();
    return interval;
  }
}

function textOf({ set, followed }: Fingerprint, all: boolean): string {
  return all ? `${set}\n\n${followed}` : set;
}
