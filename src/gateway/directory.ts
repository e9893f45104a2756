import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import { formatDuration } from '../config/units.js';
import { openDirectory, type DirectoryService } from '../directory/service.js';
import type { DirectorySnapshot, GroupState } from '../directory/types.js';
import type { EventService } from '../events/types.js';
import { groupsUsed } from '../rules/groups.js';
import type { RuleBundle } from '../rules/model.js';
import type { SmtpReply } from '../rules/types.js';
import type { MessageHandler } from '../smtp/types.js';
import type { StrangerLog } from '../smtp/stranger-log.js';
import type { Log } from '../telemetry/log.js';

export interface GatewayDirectoryOptions {
  readonly config: Config;
  readonly events: EventService;
  readonly log: Log;
  /** The rules in force. */
  readonly bundle: () => RuleBundle;
  /** Puts these members in force, and resolves when every message that begins is judged by them. One call at a time. */
  readonly swap: (snapshot: DirectorySnapshot) => Promise<void>;
}

/** The directory's groups of a running gateway. */
export interface GatewayDirectory {
  readonly snapshot: DirectorySnapshot;
  readonly states: readonly GroupState[];
  /** A group that the rules need and that was never read: no message can be judged. */
  readonly missing: string | undefined;
  close(): Promise<void>;
}

const EVENTS = ['directory-unavailable', 'directory-data-stale'] as const;

const NOT_YET: SmtpReply = { code: 451, enhanced: '4.3.0', text: 'Temporary failure, try again later' };

const NO_DIRECTORY: GatewayDirectory = {
  snapshot: { groups: new Map() },
  states: [],
  missing: undefined,
  close: async () => Promise.resolve(),
};

/**
 * Opens the directory. Where the rules need a group of which there is no copy, the first reading is waited for; when it
 * fails, the gateway starts all the same, and answers 451 until there is one (`missing`).
 */
export async function openGatewayDirectory(options: GatewayDirectoryOptions): Promise<GatewayDirectory> {
  const { config, events, log, bundle, swap } = options;
  const settings = config.directory;
  if (settings === undefined) {
    events.checked(EVENTS);
    return NO_DIRECTORY;
  }
  // Changes of the time before the threads run are in the first set.
  let started = false;
  let inForce: DirectorySnapshot = { groups: new Map() };
  let swapping: Promise<void> = Promise.resolve();
  const service = await openDirectory({
    settings,
    data: config.data,
    log,
    onRead: (states, unavailable) => report(states, unavailable, events),
    onChange: () => {
      if (!started) return;
      swapping = swapping.then(async () => {
        const { snapshot } = service;
        try {
          await swap(snapshot);
          inForce = snapshot;
        } catch (error) {
          log.error({ err: error }, 'changed groups of the directory cannot be put in force');
        }
      });
    },
  });
  if (missingOf(bundle(), service.snapshot) !== undefined) {
    const reading = service
      .refresh()
      .catch((error: unknown) => log.error({ err: error }, 'the directory cannot be read'));
    await Promise.race([reading, delay(settings.timeout, undefined, { ref: false })]);
  }
  inForce = service.snapshot;
  started = true;
  return {
    get snapshot() {
      return inForce;
    },
    get states() {
      return service.states;
    },
    get missing() {
      return missingOf(bundle(), inForce);
    },
    close: async () => {
      await service.close();
      await swapping;
    },
  };
}

/** Refuses mail for the time being while it cannot be judged. */
export function heldBack(handler: MessageHandler, directory: GatewayDirectory, log: StrangerLog): MessageHandler {
  return {
    hasRoom: () => handler.hasRoom(),
    handle: async (message) => {
      const { missing } = directory;
      if (missing === undefined) return await handler.handle(message);
      const facts = { id: message.traceId, client: message.envelope.client, group: missing };
      log.error(facts, 'a group that the rules need was never read: 451');
      return NOT_YET;
    },
  };
}

/** What `gatepost check` says of the copies: it never asks a server. */
export function copyProblems(states: readonly GroupState[], config: Config, bundle: RuleBundle | undefined): Problem[] {
  const used = new Set(bundle === undefined ? [] : groupsUsed(bundle));
  return states.flatMap(({ name, copy, stale, failure }) => {
    const at = ['directory', 'groups', name];
    const warn = (message: string, hint?: string): Problem => config.source.warning(at, message, hint, 'key');
    if (bundle !== undefined && !used.has(name)) return [warn(`no rule uses the group "@ldap:${name}"`)];
    if (copy === undefined)
      return [
        warn(
          `of the group "@ldap:${name}" there is no copy yet${failure === undefined ? '' : ` (${failure})`}`,
          'the gateway answers 451 until the directory has been read',
        ),
      ];
    if (!stale) return [];
    const age = formatDuration(Date.now() - copy.readAt);
    return [warn(`the copy of the group "@ldap:${name}" is ${age} old`, 'the directory has not been read since')];
  });
}

/** What `gatepost status` shows of a group; never who is in it. */
export function groupView({ name, copy, stale, failure }: GroupState): object {
  return {
    name,
    ...(copy === undefined
      ? {}
      : { readAt: new Date(copy.readAt), age: Date.now() - copy.readAt, addresses: copy.addresses.length }),
    stale,
    ...(failure === undefined ? {} : { failure }),
  };
}

function missingOf(bundle: RuleBundle, { groups }: DirectorySnapshot): string | undefined {
  return groupsUsed(bundle).find((name) => groups.get(name) === undefined);
}

function report(states: DirectoryService['states'], unavailable: string | undefined, events: EventService): void {
  const times = states.flatMap(({ copy }) => (copy === undefined ? [] : [copy.readAt]));
  const last = times.length === 0 ? {} : { lastSuccess: new Date(Math.max(...times)) };
  if (unavailable === undefined) events.resolve('directory-unavailable');
  else events.raise('directory-unavailable', { detail: unavailable, ...last });
  for (const { name, copy, stale, failure } of states) {
    const subject = `@ldap:${name}`;
    const since = copy === undefined ? {} : { lastSuccess: new Date(copy.readAt) };
    if (failure === undefined) events.resolve('directory-unavailable', subject);
    else events.raise('directory-unavailable', { subject, detail: failure, ...since });
    if (copy !== undefined && stale)
      events.raise('directory-data-stale', {
        subject,
        detail: `the copy was read ${formatDuration(Date.now() - copy.readAt)} ago and stays in use`,
        ...since,
      });
    else events.resolve('directory-data-stale', subject);
  }
  events.checked(EVENTS);
}
