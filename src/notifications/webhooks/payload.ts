import { z } from 'zod';

const strings = z.array(z.string());

const reported = z.object({
  address: z.string(),
  reason: z.string().describe('in plain words'),
  status: z.string().describe('enhanced status code (RFC 3463)'),
  server: z.string().describe('host that said so; empty where it was this gateway'),
  reply: z.string(),
});

const common = {
  version: z.literal(1).describe('of this format: keys may be added in it, none is taken away or gets another meaning'),
  id: z.string().describe('of this message to this webhook: the same at each attempt'),
  time: z.iso.datetime().describe('when it happened'),
  node: z.string().describe('name of the node that it is about'),
  severity: z.enum(['diagnostic', 'informative', 'warning', 'error', 'critical']),
};

const traceId = z.string().describe('the unique message ID');

const message = z.object({
  messageId: z.string().describe('the Message-ID field'),
  sender: z.string().describe('of the envelope; empty for the null sender'),
  senderIp: z.string(),
  recipients: strings.describe('all of the envelope, at most 200'),
  affectedRecipients: strings.describe('those that it is about, at most 200'),
  subject: z.string().describe('as it was, links and all: hostile text'),
  size: z.number().describe('bytes'),
});

export const rulePayload = z.object({
  ...common,
  kind: z.literal('rule'),
  traceId,
  message,
  rules: z.array(z.object({ id: z.string(), name: z.string() })),
  action: z.string().describe('what became of the message, in words'),
  quarantined: z.boolean(),
  objects: z.array(
    z.object({
      name: z.string().describe('path of the object; empty for the message as a whole'),
      size: z.number(),
      status: z.string(),
      module: z.string(),
      threat: z.string(),
    }),
  ),
  objectsOmitted: z.number().describe('how many more there were'),
});

export const noticePayload = z.object({
  ...common,
  kind: z.literal('notice'),
  traceId,
  class: z.string().describe('bounce, double-bounce, delay, policy, protocol, resource or software'),
  description: z.string(),
  message,
  reported: z.array(reported).describe('recipients that a bounce is about'),
  transcript: strings.describe('of the SMTP session, secrets removed'),
  omitted: z.number().describe('how many of this class were left out before, as there were too many'),
});

export const eventPayload = z.object({
  ...common,
  kind: z.literal('event'),
  traceId: z.null().describe('events are about no message'),
  event: z.string(),
  group: z.string(),
  change: z.enum(['raised', 'resolved']),
  subject: z.string().describe('what it is about; empty when there can be only one'),
  detail: z.string(),
  first: z.iso.datetime(),
  last: z.iso.datetime(),
  lastSuccess: z.iso.datetime().nullable(),
  resolvedAt: z.iso.datetime().nullable(),
});

export const testPayload = z.object({
  ...common,
  kind: z.literal('test'),
  traceId: z.null(),
  description: z.string(),
});

/** What is posted. */
export const payloadSchema = z.discriminatedUnion('kind', [rulePayload, noticePayload, eventPayload, testPayload]);

export type WebhookPayload = z.output<typeof payloadSchema>;
export type RulePayload = z.output<typeof rulePayload>;
export type NoticePayload = z.output<typeof noticePayload>;
export type EventPayload = z.output<typeof eventPayload>;
