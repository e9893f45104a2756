import type { EventReporter } from '../events/types.js';
import type { Config } from '../config/load.js';
import { SpoolFullError, type Delivery, type DeliveryOutcome, type DeliveryRequest } from '../delivery/types.js';
import { contentOf, sizeOf } from '../message/source.js';
import { addressOf } from '../notifications/mailbox.js';
import type { Copy, Inspection } from '../pipeline/types.js';
import type { SmtpReply } from '../rules/types.js';
import type { QuarantineItem, QuarantineRecord, Store } from '../store/types.js';
import type { StrangerLog } from '../smtp/stranger-log.js';
import { NO_ROOM, type Settlement } from './outcome.js';
import { decisionTrace } from './record.js';
import type { CopyMark } from './copy-mark.js';
import { blindCopyFor, bouncePolicy, itemKey, originalOf, requestFor, type Arrived } from './request.js';

export interface DisposalParts {
  readonly config: Config;
  readonly delivery: Delivery;
  readonly store: Store;
  readonly events: EventReporter;
  /** For lines that whoever sends mail can cause. */
  readonly strangers: StrangerLog;
  readonly copyMark: CopyMark;
}

const NO_QUARANTINE: SmtpReply = {
  code: 451,
  enhanced: '4.3.0',
  text: 'The message cannot be put aside at the moment, try again later',
};
const REFUSED: SmtpReply = { code: 550, enhanced: '5.7.1', text: 'Message refused' };
const LATER: SmtpReply = { code: 451, enhanced: '4.7.1', text: 'Try again later' };
const NOT_KEPT: SmtpReply = { code: 451, enhanced: '4.3.0', text: 'Temporary failure, try again later' };
const ACCEPTED: SmtpReply = { code: 250, enhanced: '2.0.0', text: 'Ok' };
const DISCARDED: SmtpReply = { code: 250, enhanced: '2.0.0', text: 'Ok' };

/** What disposing of copies needs of them. */
export interface DisposeParts {
  readonly config: Pick<Config, 'delivery' | 'node' | 'smtp'>;
  readonly delivery: Pick<Delivery, 'deliver' | 'spool' | 'spoolForInspection'>;
  readonly store: { readonly quarantine: Pick<Store['quarantine'], 'put'> };
  readonly strangers: Pick<StrangerLog, 'error'>;
}

/** What became of a copy: a settlement for each of its recipients, and the request, should it be needed again. */
export interface Disposed {
  readonly copy: Copy;
  readonly request: DeliveryRequest;
  readonly settlements: readonly Settlement[];
}

/**
 * Carries the decisions out. Failure semantics: the quarantine comes first, and a copy whose original cannot be put
 * aside is deferred and nothing of it done; a copy that neither the hop nor the spool takes, whatever the reason, is
 * `no-room`. When this resolves all copies are settled, also where one of them failed.
 * Deferred copies are only marked: whether they are kept depends on the others.
 * `inline` tries at once while the client waits; otherwise all is spooled without a try. `prefix` begins the copies' keys.
 */
export async function dispose(
  arrived: Arrived,
  inspection: Inspection,
  parts: DisposeParts,
  { inline, prefix = arrived.traceId }: { readonly inline: boolean; readonly prefix?: string },
): Promise<Disposed[]> {
  const stored = await putAside(arrived, inspection, parts);
  const bounce = bouncePolicy(parts.config.delivery.bounce, inspection.findings);
  const count = inspection.copies.length;
  const requests = inspection.copies.map((copy, i) => {
    const key = itemKey(prefix, i, count);
    return { copy, request: requestFor(arrived, inspection, copy, key, bounce, parts.config.smtp.hostname) };
  });
  return await Promise.all(
    requests.map(async ({ copy, request }) => {
      return { copy, request, settlements: await settle(arrived, copy, request, stored, parts, inline) };
    }),
  );
}

/** Never rejects: the other copies go on, and what becomes of them counts. */
async function settle(
  arrived: Arrived,
  copy: Copy,
  request: DeliveryRequest,
  stored: boolean,
  parts: DisposeParts,
  inline: boolean,
): Promise<Settlement[]> {
  const { decision } = copy;
  const all = (state: Settlement['state'], reply: SmtpReply): Settlement[] =>
    copy.recipients.map((recipient) => ({ recipient, item: request.item, state, hop: '', reply }));
  const unkept = (error: unknown): Settlement[] => {
    if (error instanceof SpoolFullError) return all('no-room', NO_ROOM);
    const facts = { id: arrived.traceId, item: request.item, client: arrived.envelope.client, err: error };
    parts.strangers.error(facts, 'a copy could neither be delivered nor spooled: the client keeps the message');
    return all('no-room', NOT_KEPT);
  };
  if (decision.quarantine && !stored) return all('deferred', NO_QUARANTINE);
  switch (decision.action) {
    case 'defer':
      // What comes from the spool lies there still.
      if (decision.hold !== true || !inline) return all('deferred', decision.reply ?? LATER);
      try {
        const held = originalOf(arrived, copy, request);
        await parts.delivery.spoolForInspection(held, arrived.receivedAt, 'it waits for a verdict');
        return all('spooled', ACCEPTED);
      } catch (error) {
        return unkept(error);
      }
    case 'reject':
      return all('rejected', decision.reply ?? REFUSED);
    case 'discard':
      return all('discarded', DISCARDED);
    case 'deliver':
    case 'delete-attachment': {
      if (request.envelope.recipients.length === 0) return all('discarded', DISCARDED);
      try {
        const outcomes = inline ? await parts.delivery.deliver(request) : await parts.delivery.spool(request);
        return outcomes.map((outcome) => settlementOf(outcome, request.item));
      } catch (error) {
        return unkept(error);
      }
    }
  }
}

function settlementOf(outcome: DeliveryOutcome, item: string): Settlement {
  const {
    code = outcome.state === 'refused' ? 550 : 250,
    enhanced = outcome.state === 'refused' ? '5.0.0' : '2.0.0',
    text,
    own,
  } = outcome.reply;
  return {
    recipient: outcome.address,
    item,
    state: outcome.state,
    hop: outcome.hop,
    ...(own === undefined ? {} : { own }),
    reply: { code, enhanced, text },
  };
}

/** Puts the original aside if a decision asks for it. False when that was impossible. */
async function putAside(
  arrived: Arrived,
  inspection: Inspection,
  { config, store, strangers }: DisposeParts,
): Promise<boolean> {
  const wanting = inspection.copies.filter((copy) => copy.decision.quarantine);
  if (wanting.length === 0) return true;
  const item: QuarantineItem & Pick<QuarantineRecord, 'decisions'> = {
    id: arrived.traceId,
    time: new Date(arrived.receivedAt),
    node: config.node.name,
    envelope: arrived.envelope,
    recipients: wanting.flatMap((copy) => copy.recipients),
    subject: inspection.facts.subject,
    messageId: inspection.facts.messageId,
    size: sizeOf(arrived.source),
    rules: [...new Set(wanting.map((copy) => copy.decision.rule))],
    findings: inspection.findings,
    decisions: decisionTrace(inspection).filter(({ decision }) => decision.quarantine),
    state: 'stored',
  };
  try {
    await store.quarantine.put(item, contentOf(arrived.source).read());
    return true;
  } catch (error) {
    const facts = { id: arrived.traceId, client: arrived.envelope.client, err: error };
    strangers.error(facts, 'the quarantine cannot be written: copies that need it are deferred');
    return false;
  }
}

/**
 * Spools the blind copies that rules ask for: the original, once for each address. A deferred copy comes again, and its
 * blind copies with it; a blind copy of ours that came back makes no further ones.
 * @param prefix begins the key of the item
 * @throws SpoolFullError
 */
export async function sendBlindCopies(
  arrived: Arrived,
  inspection: Inspection,
  disposed: readonly Disposed[],
  parts: DisposalParts,
  prefix: string = arrived.traceId,
): Promise<void> {
  const addresses = new Map<string, string>();
  for (const { copy, settlements } of disposed) {
    if (settlements.some(({ state }) => state === 'deferred' || state === 'no-room')) continue;
    // Held back for a verdict, it is inspected again as well.
    if (copy.decision.action === 'defer') continue;
    for (const address of copy.decision.copy) addresses.set(address.toLowerCase(), address);
  }
  if (addresses.size === 0) return;
  const { config, copyMark, delivery, strangers } = parts;
  if (copyMark.isOurs(inspection.facts.loops ?? [])) {
    const facts = { id: arrived.traceId, client: arrived.envelope.client };
    strangers.warn(facts, 'a blind copy of ours has come back: it is not copied again');
    return;
  }
  const from = addressOf(config.notifications.from);
  const mark = copyMark.field(arrived.traceId);
  await delivery.spool(blindCopyFor(arrived, inspection, [...addresses.values()], `${prefix}.c1`, from, mark));
}
