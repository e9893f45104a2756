import { DEFAULT_GRACE } from '../../src/queue/backend.js';
import type { RecordedTransition } from '../../src/store/types.js';
import { nodeOf } from './fleet.js';
import { WINDOW, type Cause } from './judge.js';
import type { Receipt } from './records.js';
import type { Trouble } from './troubles.js';

/** A server answers what it had read before it sees that nobody is there any more; clocks of one machine agree. ms */
const BEFORE = 500;
/** Silence after which a node is missed, less what a busy machine and times in whole seconds make of it, ms. */
const SILENCE = 55_000;

/**
 * Why something came again: around the 250 of the first one, the process that it came from was killed or held still, or the
 * 250 was lost on its way, or (with notifications) the store could not be told of it. An ordinary stop is an excuse only for
 * notifications that the server had not answered when the stop would not wait any longer.
 */
export function fleetCause(troubles: readonly Trouble[]): Cause {
  return (kind, first) => {
    if (!first.told) return { name: '250 that did not reach us' };
    const from = nodeOf(first.life);
    const server = kind === 'notification' || kind === 'event' ? 'server' : 'hop';
    const end = troubles.find((trouble) => trouble.kind === 'kill' && trouble.life === first.life);
    if (end !== undefined && end.begin <= first.at + WINDOW)
      return { name: end.what, after: Math.max(0, end.begin - first.at) };
    if (server === 'server') {
      const stop = troubles.find((trouble) => trouble.kind === 'stop' && trouble.life === first.life);
      const over = stop === undefined ? Infinity : stop.begin + DEFAULT_GRACE;
      if (stop !== undefined && first.read <= over && first.at >= over - BEFORE)
        return { name: `${stop.what} before the answer` };
    }
    // Who sends a notification holds it from the end of its data to the 250: a server may take its time in between.
    const since = server === 'server' ? first.read : first.at;
    const near = troubles.filter(
      ({ node, begin, end: over }) =>
        (node === undefined || node === from) && begin <= first.at + WINDOW && over >= since - BEFORE,
    );
    const found =
      near.find((trouble) => trouble.kind === 'still' && trouble.node === from) ??
      near.find(({ link }) => link === server) ??
      (server === 'server' ? near.find((trouble) => trouble.kind === 'store' || trouble.link === 'store') : undefined);
    return found === undefined ? undefined : { name: found.what };
  };
}

/** What troubles were around a receipt, for looking at. */
export function around({ at, life }: Receipt, troubles: readonly Trouble[]): string {
  return [
    `first by ${life}`,
    ...troubles
      .filter(({ begin, end }) => begin < at + 45_000 && end > at - 45_000)
      .map(({ what, node = 'all', begin, end }) => `${node}: ${what} ${begin - at}..${end - at}`),
  ].join('; ');
}

/** Events that say of a node that it was missed while nothing kept it from its signs of life for that long. */
export function falselyMissed(transitions: readonly RecordedTransition[], troubles: readonly Trouble[]): string[] {
  return transitions
    .filter(({ change, condition }) => change === 'raised' && condition.event === 'node-unavailable')
    .filter(({ condition }) => silenceOf(condition.node, condition.first.getTime(), troubles) < SILENCE)
    .map(({ condition }) => `${condition.node} at ${condition.first.toISOString()}`);
}

/** How long a node may have been silent before a time, as far as troubles explain it; starts take a while. ms */
function silenceOf(node: string, at: number, troubles: readonly Trouble[]): number {
  const START = 15_000;
  let silent = at;
  const spans = troubles
    .filter(({ kind, link, node: of }) => (of === undefined || of === node) && keepsSilent(kind, link))
    .sort((a, b) => b.end - a.end);
  for (const { begin, end } of spans) if (end + START >= silent && begin < silent) silent = begin;
  return at - silent;
}

function keepsSilent(kind: Trouble['kind'], link: Trouble['link']): boolean {
  return kind === 'network' ? link === 'store' : kind !== 'redis';
}
