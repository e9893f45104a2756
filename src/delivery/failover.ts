import { ownReply } from './reply.js';
import type { HopResult, NextHop, OutgoingMail, RecipientResult } from './types.js';

const NO_HOP = ownReply(451, '4.4.1', 'the next server is not available');

/**
 * Gives a mail to one hop after the other. The next gets what the one before put off, and only when that failed as a hop
 * and took nothing for sure; without any hop all is put off. Never rejects.
 */
export async function sendInOrder(
  hops: Iterable<Pick<NextHop, 'name' | 'send'>>,
  mail: OutgoingMail,
): Promise<HopResult> {
  const settled = new Map<string, RecipientResult>();
  let last: HopResult = { hopFailed: true, recipients: [] };
  let rest = mail.recipients;
  for (const hop of hops) {
    last = await hop.send({ ...mail, recipients: rest });
    for (const result of last.recipients) settled.set(result.address, { hop: hop.name, ...result });
    rest = rest.filter(({ address }) => settled.get(address)?.state === 'deferred');
    if (!last.hopFailed || last.inDoubt === true || rest.length === 0) break;
  }
  return {
    ...last,
    recipients: mail.recipients.map(
      ({ address }) => settled.get(address) ?? { address, state: 'deferred', reply: NO_HOP },
    ),
  };
}
