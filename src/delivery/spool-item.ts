import { z } from 'zod';
import type { Envelope, EnvelopeRecipient, IntakeReport } from '../message/envelope.js';
import { parseTraceId, type TraceId } from '../message/trace-id.js';
import type { DeliveryRequest, HopReply } from './types.js';

/** One recipient of a spooled item. */
export interface SpoolRecipient extends EnvelopeRecipient {
  readonly state: 'waiting' | 'delivered' | 'failed';
  readonly attempts: number;
  /** Name of the hop of the last attempt, or of the one that is to come. */
  readonly hop: string;
  readonly lastReply?: HopReply;
  /** The sender was told of the delay, or it was settled that he is not told. */
  readonly delayTold?: true;
}

/** The DSNs by the templates of their text. */
export const DSN_TEMPLATES = ['dsn-failure', 'dsn-delay', 'dsn-success'] as const;
export type DsnTemplate = (typeof DSN_TEMPLATES)[number];

/** An item of the spool: what its `.json` file says. The message bytes lie beside it in the `.eml` file. */
export interface SpoolItem {
  readonly version: 1;
  readonly item: string;
  readonly traceId: TraceId;
  /** `inspect`: scanned and decided again at each attempt; `deliver`: all is decided. */
  readonly stage: 'deliver' | 'inspect';
  /** When it was spooled. This and all times: ISO 8601, UTC. */
  readonly time: string;
  /** When the message was received: its life in the queue counts from here. */
  readonly receivedAt: string;
  /** Why it is inspected again. */
  readonly reason?: string;
  /** What intake saw of the message, where it is inspected again: its bytes do not show it any more. */
  readonly intake?: IntakeReport;
  /** Of the `.eml` file, in bytes. */
  readonly size: number;
  /** CRC-32 of the `.eml` file: eight digits, base 16. Items of earlier versions have none. */
  readonly crc32?: string;
  readonly eightBit: boolean;
  readonly route?: string;
  readonly bounce: 'allowed' | 'internal-only' | 'never';
  /** It is a DSN of ours: the name of its template. */
  readonly dsn?: DsnTemplate;
  /** Key of the item that it takes the place of: while that is in the spool, this one does not count. */
  readonly replaces?: string;
  readonly envelope: Omit<Envelope, 'recipients'>;
  readonly recipients: readonly SpoolRecipient[];
  readonly attempts: number;
  readonly nextAttempt: string;
  /** The first attempt had not ended when the item was written. */
  readonly running: boolean;
  /** Held by an admin since then: not tried, and not given up. */
  readonly held?: string;
  /** For how long it was held before, ms: that time does not count for its life. */
  readonly heldFor?: number;
  /** The last attempts, oldest first. */
  readonly history: readonly HistoryEntry[];
}

export interface HistoryEntry {
  readonly time: string;
  readonly hop: string;
  /** Replies with the number of recipients that got them: `2x 451 4.3.0 later`. */
  readonly replies: readonly string[];
}

/** How many attempts an item remembers. */
export const HISTORY = 20;

const reply = z.strictObject({
  code: z.int().exactOptional(),
  enhanced: z.string().exactOptional(),
  text: z.string(),
  own: z.literal(true).exactOptional(),
});

const recipient = z.strictObject({
  address: z.string(),
  notify: z.array(z.enum(['never', 'success', 'failure', 'delay'])).exactOptional(),
  orcpt: z.string().exactOptional(),
  state: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.int(),
  hop: z.string(),
  lastReply: reply.exactOptional(),
  delayTold: z.literal(true).exactOptional(),
});

const traceId = z.string().transform((text, context): TraceId => {
  const id = parseTraceId(text);
  if (id !== undefined) return id;
  context.issues.push({ code: 'custom', input: text, message: 'not a trace ID' });
  return z.NEVER;
});

const time = z.iso.datetime();

/** Letters, digits, dots and dashes: an item's key is a file name. */
export const ITEM_KEY = /^[0-9A-Za-z][0-9A-Za-z.-]{0,99}$/;

const itemSchema = z.strictObject({
  version: z.literal(1),
  item: z.string().regex(ITEM_KEY),
  traceId,
  stage: z.enum(['deliver', 'inspect']),
  time,
  receivedAt: time,
  reason: z.string().exactOptional(),
  intake: z
    .strictObject({
      anomalies: z.array(z.string().max(100)).max(100),
      ownMark: z.string().exactOptional(),
      received: z.int().nonnegative(),
      passes: z.int().nonnegative().exactOptional(),
    })
    .exactOptional(),
  size: z.int().nonnegative(),
  crc32: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .exactOptional(),
  eightBit: z.boolean(),
  route: z.string().exactOptional(),
  bounce: z.enum(['allowed', 'internal-only', 'never']),
  dsn: z.enum(DSN_TEMPLATES).exactOptional(),
  replaces: z.string().regex(ITEM_KEY).exactOptional(),
  envelope: z.strictObject({
    sender: z.string(),
    client: z.string(),
    helo: z.string(),
    tls: z.boolean(),
    user: z.string().exactOptional(),
    trusted: z.boolean(),
    smtpUtf8: z.boolean(),
    eightBit: z.boolean(),
    ret: z.enum(['full', 'headers']).exactOptional(),
    envid: z.string().exactOptional(),
  }),
  recipients: z.array(recipient).min(1),
  attempts: z.int(),
  nextAttempt: time,
  running: z.boolean(),
  held: time.exactOptional(),
  heldFor: z.number().nonnegative().exactOptional(),
  history: z.array(z.strictObject({ time, hop: z.string(), replies: z.array(z.string()) })),
});

/** Reads the text of an item's `.json` file. @throws Error that says in one line what is wrong with it */
export function parseItem(text: string): SpoolItem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error('the item is no JSON', { cause: error });
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined;
  if (typeof version === 'number' && version > 1)
    throw new Error(`the item was written by a later Gatepost (version ${version} of the file)`);
  const parsed = itemSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    issue === undefined ? 'the item is damaged' : `the item is damaged at "${issue.path.join('.')}": ${issue.message}`,
  );
}

export function formatItem(item: SpoolItem): string {
  return `${JSON.stringify(item, undefined, 1)}\n`;
}

/** The envelope of the item with the recipients that are still to be served. */
export function envelopeOf(item: SpoolItem): Envelope {
  const recipients = item.recipients.filter(({ state }) => state === 'waiting').map(plainRecipient);
  return { ...item.envelope, recipients };
}

/** A recipient as the envelope has it. */
export function plainRecipient({ address, notify, orcpt }: EnvelopeRecipient): EnvelopeRecipient {
  return {
    address,
    ...(notify === undefined ? {} : { notify }),
    ...(orcpt === undefined ? {} : { orcpt }),
  };
}

/** What is put into the spool. */
export type NewSpoolItem = Omit<DeliveryRequest, 'intake'>;

/** An item that nothing was tried for. @param hop shown until the first attempt */
export function newItem(
  mail: Omit<NewSpoolItem, 'content'> & { readonly content: Pick<NewSpoolItem['content'], 'size'> },
  now: Date,
  hop: string,
): SpoolItem {
  const { recipients, ...envelope } = mail.envelope;
  const time = now.toISOString();
  return {
    version: 1,
    item: mail.item,
    traceId: mail.traceId,
    stage: 'deliver',
    time,
    receivedAt: time,
    size: mail.content.size,
    eightBit: mail.eightBit,
    ...(mail.route === undefined ? {} : { route: mail.route }),
    bounce: mail.bounce,
    ...(mail.replaces === undefined ? {} : { replaces: mail.replaces }),
    envelope,
    recipients: recipients.map((recipient) => ({ ...plainRecipient(recipient), state: 'waiting', attempts: 0, hop })),
    attempts: 0,
    nextAttempt: time,
    running: false,
    history: [],
  };
}
