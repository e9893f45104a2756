import { createHash } from 'node:crypto';
import type { Envelope } from '../../message/envelope.js';
import type { Message, MessageObject } from '../../message/types.js';
import type { DetectorInput } from '../types.js';

/** Objects whose hashes are sent. */
const MAX_OBJECTS = 200;
/** Recipients that are sent. */
const MAX_RECIPIENTS = 1000;

/** What the service gets, as JSON. The same message has the same `sha256` whenever it is asked about. */
export interface VerdictRequest {
  readonly version: 1;
  /** The trace ID, the same for every inspection of the message; empty for a message that has none. */
  readonly id: string;
  readonly sha256: string;
  readonly size: number;
  readonly envelope: {
    readonly sender: string;
    readonly recipients: readonly string[];
    readonly client: string;
    readonly helo: string;
    readonly tls: boolean;
    readonly authenticated: boolean;
  };
  readonly objects: readonly ObjectHash[];
  /** Base64; absent where hashes are to be enough. */
  readonly message?: string;
}

interface ObjectHash {
  readonly path: string;
  readonly size: number;
  readonly type: string;
  /** Absent where the content cannot be had. */
  readonly sha256?: string;
}

export function requestOf(input: DetectorInput, send: 'message' | 'hash'): VerdictRequest {
  const { message, envelope, traceId = '' } = input;
  const bytes = message.bytes.subarray(startOf(message, traceId));
  return {
    version: 1,
    id: traceId,
    sha256: sha256(bytes),
    size: bytes.length,
    envelope: envelopeOf(envelope),
    objects: message.objects.slice(0, MAX_OBJECTS).map(hashOf),
    ...(send === 'message' ? { message: bytes.toString('base64') } : {}),
  };
}

/**
 * Where the message as it was received begins: a copy that comes from the spool bears our own Received field on top,
 * which names its trace ID.
 */
function startOf({ bytes, structure }: Message, traceId: string): number {
  const [first] = structure.root.fields;
  if (traceId === '' || first?.key !== 'received' || first.range.start !== 0) return 0;
  return bytes.toString('latin1', first.value.start, first.value.end).includes(traceId) ? first.range.end : 0;
}

function envelopeOf({ sender, recipients, client, helo, tls, user }: Envelope): VerdictRequest['envelope'] {
  return {
    sender,
    recipients: recipients.slice(0, MAX_RECIPIENTS).map(({ address }) => address),
    client,
    helo,
    tls,
    authenticated: user !== undefined,
  };
}

function hashOf(object: MessageObject): ObjectHash {
  const { path, size, type } = object;
  const content = object.content();
  return { path, size, type, ...(content === undefined ? {} : { sha256: sha256(content) }) };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
