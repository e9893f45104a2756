import { z } from 'zod';
import type { TraceId } from '../../message/trace-id.js';
import type { OwedNotification } from '../types.js';
import { payloadSchema, type WebhookPayload } from './payload.js';

/** What a worker needs to tell one webhook of one thing. Plain data, without a secret. */
export interface WebhookCall {
  /** Job ID and ledger key. */
  readonly id: string;
  /** Digest of the webhook's address. */
  readonly hook: string;
  /** The address, masked. */
  readonly to: string;
  readonly payload: WebhookPayload;
}

export const callSchema = z.object({
  id: z.string().regex(/^n[0-9a-f]{8,64}$/),
  hook: z.string().min(1),
  to: z.string().min(1),
  payload: payloadSchema,
}) satisfies z.ZodType<WebhookCall>;

/** A call about a message: lies in the outbox as mails do. */
export interface OwedWebhook extends WebhookCall {
  readonly kind: 'webhook';
  readonly traceId: TraceId;
  readonly attach: 'none';
}

/** What lies in the outbox. */
export type OutboxEntry = OwedNotification | OwedWebhook;

/** Name of the queue. */
export const WEBHOOK_QUEUE = 'webhooks';
/** Stands in the ledger where mails have their template. */
export const WEBHOOK_TEMPLATE = 'webhook';
