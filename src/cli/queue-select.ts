import { parseDuration } from '../config/units.js';
import type { SpoolItem } from '../delivery/spool-item.js';
import { parseTraceId } from '../message/trace-id.js';
import { compileMask, fold, type MaskTest } from '../rules/mask.js';
import { UsageError } from './exit.js';
import { printable } from './terminal.js';

/** Which items are meant; texts may be masks. */
export interface SelectOptions {
  readonly sender?: string;
  readonly recipient?: readonly string[];
  readonly hop?: string;
  readonly state?: string;
  readonly held?: boolean;
  readonly olderThan?: string;
}

const STATES = ['waiting', 'held', 'inspect'] as const;
type State = (typeof STATES)[number];

/** How an item stands: held by an admin, to be scanned again, or waiting for its hop. */
export function stateOf(item: Pick<SpoolItem, 'held' | 'stage'>): State {
  if (item.held !== undefined) return 'held';
  return item.stage === 'inspect' ? 'inspect' : 'waiting';
}

/** A test for items, and whether it asks for anything. @param now ms @throws UsageError */
export function selection(options: SelectOptions, now: number): { test: (item: SpoolItem) => boolean; any: boolean } {
  const tests: ((item: SpoolItem) => boolean)[] = [];
  const { sender, recipient, hop, olderThan } = options;
  if (sender !== undefined) {
    const mask = maskOf('--sender', sender === '<>' ? '' : sender);
    tests.push((item) => mask(fold(item.envelope.sender)));
  }
  if (recipient !== undefined) {
    const masks = recipient.map((text) => maskOf('--recipient', text));
    tests.push((item) => waiting(item).some(({ address }) => masks.some((mask) => mask(fold(address)))));
  }
  if (hop !== undefined) {
    const mask = maskOf('--hop', hop);
    tests.push((item) => waiting(item).some((one) => mask(fold(one.hop))));
  }
  const state = stateWanted(options);
  if (state !== undefined) tests.push((item) => stateOf(item) === state);
  if (olderThan !== undefined) {
    const span = parseDuration(olderThan);
    if (span === undefined) throw new UsageError(`--older-than: "${olderThan}" is not a time such as 30m, 2h or 1d`);
    tests.push((item) => now - Date.parse(item.time) >= span);
  }
  return { test: (item) => tests.every((one) => one(item)), any: tests.length > 0 };
}

/** A key, or a trace ID in its canonical form. @throws UsageError when it can be neither */
export function keyOf(text: string): string {
  const clean = text.trim();
  const traceId = parseTraceId(clean.slice(0, 26));
  const rest = clean.slice(26);
  if (traceId !== undefined && /^(\.[0-9A-Za-z][0-9A-Za-z.-]{0,70})?$/.test(rest)) return `${traceId}${rest}`;
  throw new UsageError(
    `"${printable(clean).slice(0, 100)}" is not the ID of a message: it has 26 letters and digits, and .1, .2 ... behind it ` +
      'for one of several copies; gatepost queue list shows those that are there',
  );
}

/** Whether an item belongs to what was asked for: itself, or (a trace ID) all that a message left in the spool. */
export function belongsTo(id: string): (key: string) => boolean {
  return (key) => key === id || (id.length === 26 && key.startsWith(`${id}.`));
}

function stateWanted({ state, held }: SelectOptions): State | undefined {
  if (state === undefined) return held === true ? 'held' : undefined;
  const known = STATES.find((one) => one === state);
  if (known === undefined) throw new UsageError(`--state: "${state}" is none of ${STATES.join(', ')}`);
  if (held === true && known !== 'held') throw new UsageError(`--held and --state ${known} exclude each other`);
  return known;
}

function waiting(item: SpoolItem): SpoolItem['recipients'] {
  return item.recipients.filter(({ state }) => state === 'waiting');
}

function maskOf(option: string, text: string): MaskTest {
  if (text.length > 1000) throw new UsageError(`${option}: the mask is too long`);
  return compileMask(text);
}
