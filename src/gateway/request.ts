import type { Config } from '../config/load.js';
import type { DeliveryRequest } from '../delivery/types.js';
import type { Envelope, EnvelopeRecipient, IntakeReport } from '../message/envelope.js';
import { contentOf, type MessageSource } from '../message/source.js';
import type { TraceId } from '../message/trace-id.js';
import { gatepostFields } from '../pipeline/headers.js';
import type { Copy, Inspection } from '../pipeline/types.js';
import type { Finding } from '../detectors/types.js';
import { redirected } from './redirect.js';

/** A message on its way through disposal, whether it came from a session or from the spool. */
export interface Arrived {
  readonly traceId: TraceId;
  readonly envelope: Envelope;
  readonly source: MessageSource;
  readonly intake: IntakeReport;
  /** Our Received field; empty when it stands in the bytes already. */
  readonly received: string;
  readonly receivedAt: number;
  /** Key of the item of the spool that it lies in. */
  readonly item?: string;
}

/** Key of a copy: the prefix (the trace ID) alone where there is one copy, else `ID.1`, `ID.2`. */
export function itemKey(prefix: string, index: number, copies: number): string {
  return copies === 1 ? prefix : `${prefix}.${index + 1}`;
}

/**
 * What delivery is asked for a copy: our fields on top, the rule's edits applied, everything else byte for byte.
 * @param hostname our own, which Authentication-Results bears
 */
export function requestFor(
  arrived: Arrived,
  inspection: Inspection,
  copy: Copy,
  item: string,
  bounce: DeliveryRequest['bounce'],
  hostname: string,
): DeliveryRequest {
  // Received stands last: should the message begin with a folded line, it must not continue one of our own fields.
  const top = Buffer.from(gatepostFields(inspection, copy, hostname, arrived.intake.passes) + arrived.received);
  const { route, redirect } = copy.decision;
  const recipients = ofCopy(arrived.envelope, copy);
  return {
    item,
    traceId: arrived.traceId,
    envelope: {
      ...arrived.envelope,
      recipients: redirect === undefined ? recipients : redirected(recipients, redirect),
    },
    content: contentOf(arrived.source, top, copy.edits),
    eightBit: inspection.facts.eightBit,
    bounce,
    ...(route === undefined ? {} : { route }),
    ...replacing(arrived),
  };
}

/** What becomes of an item of the spool takes its place. */
function replacing({ item }: Arrived): Pick<DeliveryRequest, 'replaces'> {
  return item === undefined ? {} : { replaces: item };
}

/**
 * The copy as it was received, for its own recipients, our Received field on top: for inspecting it again. Where a rule
 * sent it is for the next inspection to say.
 */
export function originalOf(arrived: Arrived, copy: Copy, request: DeliveryRequest): DeliveryRequest {
  const { route, ...rest } = request;
  const content = contentOf(arrived.source, Buffer.from(arrived.received));
  const envelope = { ...arrived.envelope, recipients: ofCopy(arrived.envelope, copy) };
  return { ...rest, envelope, content, intake: arrived.intake };
}

/**
 * Blind copies that rules ask for: the original bytes, from our own address, whatever became of the message.
 * @param mark header field by which we know it again, should it come back
 */
export function blindCopyFor(
  arrived: Arrived,
  inspection: Inspection,
  recipients: readonly string[],
  item: string,
  from: string,
  mark: string,
): DeliveryRequest {
  const { ret, envid, ...envelope } = arrived.envelope;
  return {
    item,
    traceId: arrived.traceId,
    envelope: {
      ...envelope,
      sender: from,
      recipients: recipients.map((address) => ({ address, notify: ['never'] })),
    },
    content: contentOf(arrived.source, Buffer.from(mark + arrived.received)),
    eightBit: inspection.facts.eightBit,
    bounce: 'never',
    ...replacing(arrived),
  };
}

/**
 * Whether a late failure may be told to the sender (`delivery.bounce`): not where the sender is known to be forged,
 * so that no stranger gets our mail for what somebody else sent in his name.
 */
export function bouncePolicy(
  setting: Config['delivery']['bounce'],
  findings: readonly Finding[],
): DeliveryRequest['bounce'] {
  if (setting === 'never') return 'never';
  if (setting === 'internal') return 'internal-only';
  const forged = findings.some(
    (f) => f.module === 'authentication' && (f.status === 'spf' || f.status === 'dmarc') && f.name === 'fail',
  );
  return forged ? 'never' : 'allowed';
}

function ofCopy(envelope: Envelope, copy: Copy): EnvelopeRecipient[] {
  const wanted = new Set(copy.recipients);
  return envelope.recipients.filter((r) => wanted.has(r.address));
}
