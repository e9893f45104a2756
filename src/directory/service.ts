import type { DirectorySettings } from '../config/schema-directory.js';
import type { Log } from '../telemetry/log.js';
import { GroupCopies } from './copies.js';
import { isDoubtful, sameAddresses } from './doubt.js';
import type { DirectoryReading } from './read.js';
import { readInThread, type ReadTask } from './thread.js';
import type { DirectorySnapshot, GroupCopy, GroupReading, GroupState } from './types.js';

/** ms until the first further try after a failure, and until a doubtful reading is looked at again. */
const SOON = 30_000;
/** So many failures are as far apart as readings that go well, whatever the interval. */
const MAX_TRIES = 16;
/** Part of the interval by which nodes that started together drift apart. */
const JITTER = 0.1;

export interface DirectoryOptions {
  readonly settings: DirectorySettings;
  /** Folder of the node's data. */
  readonly data: string;
  readonly log: Log;
  /** Members of a group changed, or a group was read for the first time. */
  readonly onChange: (snapshot: DirectorySnapshot) => void;
  /** After each reading: how all groups stand, and why no server could be read. */
  readonly onRead?: (states: readonly GroupState[], unavailable: string | undefined) => void;
  readonly now?: () => number;
  /** ms in place of 30 s. */
  readonly soon?: number;
  readonly read?: (task: ReadTask, signal: AbortSignal) => Promise<DirectoryReading>;
}

/** Keeps copies of the configured groups, and refreshes them in the background. */
export interface DirectoryService {
  readonly snapshot: DirectorySnapshot;
  readonly states: readonly GroupState[];
  /** Why the directory could not be read at the last try. */
  readonly unavailable: string | undefined;
  /** Reads all groups now, or joins a reading that is under way. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** Takes the copies from the disk and begins to read in the background. */
export async function openDirectory(options: DirectoryOptions): Promise<DirectoryService> {
  const service = new Service(options);
  await service.load();
  service.begin();
  return service;
}

class Service implements DirectoryService {
  readonly #options: DirectoryOptions;
  readonly #copies: GroupCopies;
  readonly #held = new Map<string, GroupCopy>();
  readonly #failures = new Map<string, string>();
  /** Readings that are taken when the next one confirms them. */
  readonly #doubtful = new Map<string, GroupReading>();
  readonly #stop = new AbortController();
  #unavailable: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #tries = 0;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#copies = new GroupCopies(options.data, options.settings);
  }

  get snapshot(): DirectorySnapshot {
    const names = Object.keys(this.#options.settings.groups);
    return { groups: new Map(names.map((name) => [name, this.#held.get(name)?.addresses])) };
  }

  get states(): readonly GroupState[] {
    const { settings, now = Date.now } = this.#options;
    return Object.keys(settings.groups).map((name) =>
      stateOf(name, this.#held.get(name), this.#failures.get(name), settings, now()),
    );
  }

  get unavailable(): string | undefined {
    return this.#unavailable;
  }

  async load(): Promise<void> {
    for (const name of Object.keys(this.#options.settings.groups)) {
      const copy = await this.#copies.read(name);
      if (typeof copy === 'string')
        this.#options.log.warn({ group: name, reason: copy }, 'a copy of the directory is not used');
      else if (copy !== undefined) this.#held.set(name, copy);
    }
  }

  begin(): void {
    this.#schedule(0);
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#refresh().finally(() => {
      this.#running = undefined;
      this.#schedule(this.#delay());
    });
    await this.#running;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(ms: number): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.refresh().catch((error: unknown) => this.#options.log.error({ err: error }, 'the directory cannot be read'));
    }, ms);
    this.#timer.unref();
  }

  /** Until the next reading: the interval with jitter; after failures sooner, and later with each. */
  #delay(): number {
    const { settings, soon = SOON } = this.#options;
    const regular = settings.refresh * (1 + JITTER * (2 * Math.random() - 1));
    return this.#tries === 0 ? regular : Math.min(regular, soon * 2 ** (this.#tries - 1));
  }

  async #refresh(): Promise<void> {
    const { settings, log, read = defaultRead, onChange, onRead } = this.#options;
    const reading = await read({ settings }, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    let changed = false;
    if (reading.kind === 'failed') {
      if (this.#unavailable !== reading.reason) log.error({ reason: reading.reason }, 'the directory cannot be read');
      this.#unavailable = reading.reason;
      // A wrong password is not tried more often than need be: some servers lock the account.
      this.#tries = reading.failure === 'refused' ? MAX_TRIES : Math.min(this.#tries + 1, MAX_TRIES);
    } else {
      if (this.#unavailable !== undefined) log.info('the directory is read again');
      this.#unavailable = undefined;
      for (const [name, group] of Object.entries(reading.groups)) {
        if ('failure' in group) this.#fail(name, group.failure);
        else if (await this.#take(name, group)) changed = true;
      }
      this.#tries = this.#failures.size > 0 ? Math.min(this.#tries + 1, MAX_TRIES) : 0;
    }
    onRead?.(this.states, this.#unavailable);
    if (changed) onChange(this.snapshot);
  }

  #fail(name: string, reason: string): void {
    if (this.#failures.get(name) !== reason)
      this.#options.log.error({ group: name, reason }, 'a group of the directory is not taken');
    this.#failures.set(name, reason);
  }

  /** @returns whether the members are others than before */
  async #take(name: string, group: GroupReading): Promise<boolean> {
    const { log, now = Date.now } = this.#options;
    const before = this.#held.get(name);
    const doubtful = this.#doubtful.get(name);
    if (isDoubtful(before, group) && !(doubtful !== undefined && sameAddresses(doubtful.addresses, group.addresses))) {
      this.#doubtful.set(name, group);
      this.#fail(
        name,
        `it has ${group.addresses.length} addresses and had ${before?.addresses.length ?? 0}: taken when the next reading says the same`,
      );
      return false;
    }
    this.#doubtful.delete(name);
    this.#failures.delete(name);
    const copy: GroupCopy = { ...group, name, readAt: now() };
    this.#held.set(name, copy);
    try {
      await this.#copies.write(copy);
    } catch (error) {
      // The members hold for this process; after a restart the older copy does.
      log.error({ group: name, err: error }, 'the copy of a group cannot be written');
    }
    const changed = before === undefined || !sameAddresses(before.addresses, group.addresses);
    if (changed)
      log.info(
        {
          group: name,
          addresses: group.addresses.length,
          members: group.members,
          absent: group.absent,
          withoutAddress: group.withoutAddress,
          badAddresses: group.badAddresses,
        },
        'a group of the directory was read',
      );
    return changed;
  }
}

async function defaultRead(task: ReadTask, signal: AbortSignal): Promise<DirectoryReading> {
  return await readInThread(task, { signal });
}

function stateOf(
  name: string,
  copy: GroupCopy | undefined,
  failure: string | undefined,
  settings: DirectorySettings,
  now: number,
): GroupState {
  return {
    name,
    stale: copy !== undefined && now - copy.readAt > settings.maxAge,
    ...(copy === undefined ? {} : { copy }),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** How the copies on the disk stand, for commands that never ask a server. */
export async function readCopies(
  data: string,
  settings: DirectorySettings,
  now: number = Date.now(),
): Promise<readonly GroupState[]> {
  const copies = new GroupCopies(data, settings);
  return await Promise.all(
    Object.keys(settings.groups).map(async (name) => {
      const copy = await copies.read(name);
      return typeof copy === 'string'
        ? stateOf(name, undefined, copy, settings, now)
        : stateOf(name, copy, undefined, settings, now);
    }),
  );
}

/** The members of groups whose copies are at hand. */
export function snapshotOf(states: readonly GroupState[]): DirectorySnapshot {
  return { groups: new Map(states.map(({ name, copy }) => [name, copy?.addresses])) };
}
