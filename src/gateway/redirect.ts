import { DEFAULT_NOTIFY, type EnvelopeRecipient } from '../message/envelope.js';

/**
 * Those who get a copy in the place of its recipients: what these asked of DSNs holds on (RFC 3461 5.2.7.1). One who wants
 * to hear of something outweighs another who wants to hear of nothing; ORCPT can only be that of one.
 */
export function redirected(from: readonly EnvelopeRecipient[], to: readonly string[]): EnvelopeRecipient[] {
  const [first] = from;
  const orcpt = from.length === 1 ? first?.orcpt : undefined;
  const asked = from.some(({ notify }) => notify !== undefined)
    ? new Set(from.flatMap(({ notify = DEFAULT_NOTIFY }) => notify))
    : undefined;
  if (asked !== undefined && asked.size > 1) asked.delete('never');
  return to.map((address) => ({
    address,
    ...(asked === undefined ? {} : { notify: [...asked] }),
    ...(orcpt === undefined ? {} : { orcpt }),
  }));
}
