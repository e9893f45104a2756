import { z } from 'zod';
import { parseTraceId } from '../../message/trace-id.js';
import type { OwedNotification } from '../types.js';
import { callSchema, type OutboxEntry } from '../webhooks/types.js';

const traceId = z.string().transform((text, context) => {
  const parsed = parseTraceId(text);
  if (parsed === undefined) context.issues.push({ code: 'custom', input: text, message: 'not a trace ID' });
  return parsed ?? z.NEVER;
});

const strings = z.array(z.string());

const node = z.object({
  name: z.string(),
  address: z.string(),
  port: z.number(),
  comment: z.string(),
  timezone: z.string(),
});

const message = {
  messageId: traceId,
  smtpMessageId: z.string(),
  date: z.number(),
  sender: z.string(),
  senderIp: z.string(),
  allRecipients: strings,
  affectedRecipients: strings,
  subject: z.string(),
  size: z.number(),
  node,
};

const context = z.object({
  ...message,
  rules: z.array(z.object({ id: z.string(), name: z.string() })),
  action: z.string(),
  outcomes: z.array(z.object({ action: z.string(), recipients: strings })).exactOptional(),
  quarantined: z.boolean(),
  objects: z.array(
    z.object({ name: z.string(), size: z.number(), status: z.string(), module: z.string(), threat: z.string() }),
  ),
  objectsOmitted: z.number().exactOptional(),
});

const noticeContext = z.object({
  kind: z.literal('notice'),
  ...message,
  errorDescription: z.string(),
  transcript: strings,
  reported: z.array(
    z.object({
      address: z.string(),
      reason: z.string(),
      advice: z.string(),
      status: z.string(),
      server: z.string(),
      reply: z.string(),
    }),
  ),
  omitted: z.number(),
});

const mail = {
  id: z.string().regex(/^n[0-9a-f]{8,64}$/),
  traceId,
  to: z.string().min(1),
  template: z.string().min(1),
  attach: z.enum(['original', 'headers', 'none']),
  originalHeader: z.string().exactOptional(),
};

const owed = z.discriminatedUnion('kind', [
  z.object({
    ...mail,
    kind: z.literal('rule'),
    rule: z.string(),
    group: z.enum(['general', 'sender', 'recipients', 'additional']),
    context,
  }),
  z.object({ ...mail, kind: z.literal('notice'), context: noticeContext }),
]) satisfies z.ZodType<OwedNotification>;

const entry = z.union([
  owed,
  callSchema.extend({ kind: z.literal('webhook'), traceId, attach: z.literal('none') }),
]) satisfies z.ZodType<OutboxEntry>;

/** One line of a batch file, with its line feed. */
export function encodeLine(notification: OutboxEntry): Buffer {
  return Buffer.from(`${JSON.stringify(notification)}\n`);
}

/** The notification of a line, or undefined when the line is damaged. */
export function decodeLine(line: Buffer): OutboxEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
  return entry.safeParse(value).data;
}

export interface BatchLine {
  readonly notification: OutboxEntry;
  /** Offset in the file and length, bytes, without the line feed. */
  readonly start: number;
  readonly length: number;
}

export interface BatchReading {
  readonly lines: readonly BatchLine[];
  /** Number of lines that cannot be read. */
  readonly damaged: number;
}

/** Reads a batch file; what is damaged is counted and skipped. */
export function decodeBatch(bytes: Buffer): BatchReading {
  const lines: BatchLine[] = [];
  let damaged = bytes.length === 0 ? 1 : 0;
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(10, start);
    const end = feed < 0 ? bytes.length : feed;
    const notification = feed < 0 ? undefined : decodeLine(bytes.subarray(start, end));
    if (notification === undefined) damaged++;
    else lines.push({ notification, start, length: end - start });
    start = end + 1;
  }
  return { lines, damaged };
}
