import { wants } from './bounce.js';
import type { SpoolItem, SpoolRecipient } from './spool-item.js';

/** From when it counts how long an item waits, ms since the epoch: the time that it was held does not. */
export function waitsSince(item: Pick<SpoolItem, 'receivedAt' | 'heldFor'>): number {
  return Date.parse(item.receivedAt) + (item.heldFor ?? 0);
}

/** When the sender is to be told of the delay of an item that waits since then, ms since the epoch. @param warnAfter ms */
export function warningAt(since: number, warnAfter: number | 'off'): number {
  return warnAfter === 'off' ? Infinity : since + warnAfter;
}

/** Whether somebody wants to know of the recipient's delay, and was not told before. */
export function owesDelay(recipient: SpoolRecipient): boolean {
  return recipient.state === 'waiting' && recipient.delayTold === undefined && wants(recipient, 'delay');
}

/** Recipients whose delay is to be told now: they wait, NOTIFY asks for it, and it was not told before. */
export function lateRecipients(item: SpoolItem, warnAfter: number | 'off', now: number): SpoolRecipient[] {
  if (now < warningAt(waitsSince(item), warnAfter)) return [];
  return item.recipients.filter(owesDelay);
}

/** The item with the mark that these were told. */
export function markDelay(item: SpoolItem, late: readonly SpoolRecipient[]): SpoolItem {
  if (late.length === 0) return item;
  const marked = new Set(late.map(({ address }) => address));
  return {
    ...item,
    recipients: item.recipients.map((one) => (marked.has(one.address) ? { ...one, delayTold: true } : one)),
  };
}

/** Takes the mark back: they could not be told. */
export function unmarkDelay(item: SpoolItem, late: readonly SpoolRecipient[]): SpoolItem {
  const marked = new Set(late.map(({ address }) => address));
  return {
    ...item,
    recipients: item.recipients.map((one) => {
      if (!marked.has(one.address)) return one;
      const { delayTold, ...rest } = one;
      return delayTold === undefined ? one : rest;
    }),
  };
}
