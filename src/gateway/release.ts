import path from 'node:path';
import type { Config } from '../config/load.js';
import { addToSpool, SpoolItemExistsError } from '../delivery/spool-list.js';
import type { Envelope } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import type { QuarantineItem, QuarantineState, Store } from '../store/types.js';

export interface ReleaseRequest {
  readonly config: Config;
  readonly store: Store;
  /** Other recipients; empty for those whose rule put the message aside. */
  readonly to: readonly string[];
  /** Also when it has been released before. */
  readonly again: boolean;
  readonly now?: Date;
}

export type ReleaseResult =
  | { readonly outcome: 'released'; readonly recipients: readonly string[]; readonly item: string }
  | { readonly outcome: 'missing' | 'refused'; readonly reason: string };

/**
 * Puts an original back on its way: into the spool of this node, not scanned again, marked with our fields.
 *
 * The item is marked `releasing` before it is spooled and `released` after: a release that died in between is not
 * repeated by accident, since it may have gone out.
 */
export async function release(id: TraceId, request: ReleaseRequest): Promise<ReleaseResult> {
  const { store, config } = request;
  const found = await store.quarantine.get(id);
  if (found === undefined) return { outcome: 'missing', reason: `There is no ${id} in the quarantine.` };
  const from: readonly QuarantineState[] = request.again ? ['stored', 'releasing', 'released'] : ['stored'];
  if (!(await store.quarantine.transition(id, from, 'releasing')))
    return { outcome: 'refused', reason: refusal(found) };

  const recipients = request.to.length > 0 ? request.to : found.recipients;
  const now = request.now ?? new Date();
  const item = `${id}.r${request.again ? now.getTime() : ''}`;
  try {
    await addToSpool(
      path.join(config.data, 'spool'),
      {
        item,
        traceId: id,
        envelope: envelopeFor(found, recipients),
        content: contentFor(found, store),
        eightBit: true,
        bounce: 'internal-only',
      },
      now,
    );
  } catch (error) {
    // Nothing was spooled, so nothing was released.
    if (!(error instanceof SpoolItemExistsError)) {
      await store.quarantine.transition(id, ['releasing'], found.state);
      throw error;
    }
  }
  await store.quarantine.transition(id, ['releasing'], 'released');
  const reply = 'released from the quarantine';
  store.journal.delivered(
    id,
    recipients.map((recipient) => ({ recipient, item, state: 'released', hop: '', reply, time: now })),
  );
  await store.journal.flush();
  return { outcome: 'released', recipients, item };
}

function refusal(item: QuarantineItem): string {
  if (item.state === 'released') return `${item.id} has been released already; --again delivers it once more.`;
  return `A release of ${item.id} was begun and not finished: it may have gone out. --again delivers it (once more).`;
}

function envelopeFor(item: QuarantineItem, recipients: readonly string[]): Envelope {
  const known = new Map(item.envelope.recipients.map((r) => [r.address, r]));
  return { ...item.envelope, recipients: recipients.map((address) => known.get(address) ?? { address }) };
}

function contentFor(item: QuarantineItem, store: Store): Content {
  const rule = item.rules.join(', ').replace(/[^a-z0-9, -]/g, '');
  const top = Buffer.from(
    `X-Gatepost-ID: ${item.id}\r\nX-Gatepost-Rule: ${rule}\r\nX-Gatepost-Action: released\r\n`,
    'latin1',
  );
  async function* read(): AsyncGenerator<Buffer> {
    yield top;
    yield* store.quarantine.read(item.id);
  }
  return { size: top.length + item.size, read };
}
