import { replyLine } from '../delivery/reply.js';
import { envelopeOf, type SpoolItem } from '../delivery/spool-item.js';
import type { Reinspection } from '../delivery/types.js';
import { contentOf, type MessageSource } from '../message/source.js';
import { dispose, sendBlindCopies } from './disposal.js';
import { fatesOf } from './outcome.js';
import { inspectBy, reportRefused, type PartsInForce } from './processor.js';
import { deliveryRecords } from './record.js';
import { originalOf, type Arrived } from './request.js';
import { hitsOf } from './rule-hits.js';

/**
 * Judges a copy once more that was deferred beside others that were settled: by the rules of now, for its recipients
 * alone. There is no client to answer any more: what is refused is reported, what may pass goes to the spool.
 * @param path file of the message as it was received, our Received field on top
 */
export async function reinspect(item: SpoolItem, path: string, inForce: PartsInForce): Promise<Reinspection> {
  const source: MessageSource = { kind: 'file', path, size: item.size };
  // Items of an earlier version do not say what intake saw.
  const intake = item.intake ?? { anomalies: [], received: 0 };
  const arrived: Arrived = {
    traceId: item.traceId,
    envelope: envelopeOf(item),
    source,
    intake,
    received: '',
    receivedAt: Date.parse(item.receivedAt),
    item: item.item,
  };
  const { inspection, parts } = await inspectBy(
    { traceId: item.traceId, envelope: arrived.envelope, intake, receivedAt: arrived.receivedAt },
    source,
    inForce,
  );
  const disposed = await dispose(arrived, inspection, parts, { inline: false, prefix: item.item });
  const settlements = disposed.flatMap((d) => d.settlements);
  const deferred = disposed.filter((d) => d.settlements.some((s) => s.state === 'deferred' || s.state === 'no-room'));
  if (deferred.length === disposed.length) {
    const reply = settlements[0]?.reply;
    return { state: 'again', reason: reply === undefined ? 'it is still deferred' : replyLine(reply) };
  }
  for (const {
    copy,
    request,
    settlements: [first],
  } of deferred) {
    await parts.delivery.spoolForInspection(
      originalOf(arrived, copy, request),
      arrived.receivedAt,
      first === undefined ? 'deferred' : replyLine(first.reply),
    );
  }
  await reportRefused(arrived, inspection, disposed, parts);
  await sendBlindCopies(arrived, inspection, disposed, parts, item.item);
  await parts.notifications.owe(
    inspection,
    arrived.envelope,
    { intake, receivedAt: arrived.receivedAt, fates: fatesOf(disposed) },
    contentOf(source),
    parts.config,
  );
  parts.store.counters.count(hitsOf(inspection), new Date());
  parts.store.journal.delivered(
    item.traceId,
    deliveryRecords(settlements.filter((s) => s.state !== 'deferred' && s.state !== 'no-room')),
  );
  return { state: 'done' };
}
