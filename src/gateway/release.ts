import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Config } from '../config/load.js';
import type { Envelope } from '../message/envelope.js';
import type { Content } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import { receivedField } from '../smtp/received.js';
import type { QuarantineItem, QuarantineRecord, QuarantineRelease, Store } from '../store/types.js';
import { dropRelease, handOver, prepareRelease } from './release-folder.js';

export interface ReleaseRequest {
  readonly config: Pick<Config, 'data' | 'node'> & { readonly smtp: Pick<Config['smtp'], 'hostname'> };
  readonly store: Pick<Store, 'quarantine'>;
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
 * It is written beside the spool first, then the store says in one statement that it is released, then it is handed
 * over to the spool. Killed before that statement, nothing has gone out and the release can be called again; killed
 * after it, the next release or the gateway of this node hands over what lies ready (`finishReleases`). So it goes out
 * once, whoever is killed when.
 */
export async function release(id: TraceId, request: ReleaseRequest): Promise<ReleaseResult> {
  const { store, config } = request;
  const { quarantine } = store;
  const found = await quarantine.get(id);
  if (found === undefined) return missing(id);
  const item = `${id}.r${randomBytes(4).toString('hex')}`;
  if (!(await quarantine.claim(id, item, request.again))) {
    const now = await quarantine.get(id);
    return now === undefined ? missing(id) : { outcome: 'refused', reason: refusal(now) };
  }
  const recipients = request.to.length > 0 ? [...new Set(request.to)] : found.recipients;
  const time = request.now ?? new Date();
  const folder = path.join(config.data, 'spool');
  const done: QuarantineRelease = { item, time, node: config.node.name, recipients };
  try {
    await prepareRelease(
      folder,
      {
        item,
        traceId: id,
        envelope: envelopeFor(found, recipients),
        content: contentFor(found, config.smtp.hostname, request.store),
        bounce: 'internal-only',
      },
      time,
    );
  } catch (error) {
    await dropRelease(folder, item);
    await quarantine.unclaim(id, item);
    throw error;
  }
  // When this rejects, it may be done or not: what lies ready stays, and the store is asked again.
  if (!(await quarantine.released(id, item, done))) {
    await dropRelease(folder, item);
    return (await quarantine.get(id)) === undefined ? missing(id) : { outcome: 'refused', reason: overtaken(id) };
  }
  await handOver(folder, item);
  return { outcome: 'released', recipients, item };
}

function missing(id: TraceId): ReleaseResult {
  return { outcome: 'missing', reason: `There is no ${id} in the quarantine.` };
}

function refusal({ id, releases }: QuarantineRecord): string {
  const last = releases.at(-1);
  const when = last === undefined ? '' : ` (${last.time.toISOString()}, to ${last.recipients.join(', ')})`;
  return `${id} has been released already${when}; --again delivers it once more.`;
}

function overtaken(id: TraceId): string {
  return `Another release of ${id} was begun meanwhile and goes on in place of this one.`;
}

function envelopeFor(item: QuarantineItem, recipients: readonly string[]): Envelope {
  const known = new Map(item.envelope.recipients.map((r) => [r.address, r]));
  return {
    ...item.envelope,
    recipients: recipients.map((address) => known.get(address) ?? { address }),
  };
}

/**
 * The original with our fields on top. Received stands last, as when a message goes straight on: should the message begin
 * with a folded line, it must not continue one of our own fields.
 */
function contentFor(item: QuarantineItem, hostname: string, store: Pick<Store, 'quarantine'>): Content {
  const rule = item.rules.join(', ').replace(/[^a-z0-9, -]/g, '');
  const { helo, client, tls, user, smtpUtf8, recipients } = item.envelope;
  const received = receivedField({
    helo,
    client,
    hostname,
    // Whether it said EHLO is not kept; hardly anybody does not.
    extended: true,
    tls,
    authenticated: user !== undefined,
    smtpUtf8,
    id: item.id,
    recipients: recipients.map(({ address }) => address),
    time: item.time.getTime(),
  });
  const top = Buffer.from(
    `X-Gatepost-ID: ${item.id}\r\nX-Gatepost-Rule: ${rule}\r\nX-Gatepost-Action: released\r\n${received}`,
  );
  async function* read(): AsyncGenerator<Buffer> {
    yield top;
    yield* store.quarantine.read(item.id);
  }
  return { size: top.length + item.size, read };
}
