import { z } from 'zod';
import { duration } from './values.js';

/** What a webhook can be told of. */
export const WEBHOOK_KINDS = ['rule', 'notice', 'event'] as const;

function isUsable(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && hostname !== '';
}

/** Whether what stands before the @ can be read; what is no address at all is said otherwise. */
function hasReadableLogin(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** `notifications.webhooks`. */
export const webhookSchema = z.strictObject({
  url: z
    .string()
    .max(2000)
    .refine(isUsable, 'must be an https:// or http:// address')
    .refine(hasReadableLogin, 'cannot be used: in user and password write a percent sign as %25')
    .describe('where messages are posted; `user:password@` is sent as Basic authentication'),
  secret: z.string().min(1).max(1000).describe('key of the signature that each message bears'),
  kinds: z
    .array(z.enum(WEBHOOK_KINDS))
    .min(1)
    .default([...WEBHOOK_KINDS])
    .describe('what it is told of'),
  ca: z.string().optional().describe("file with the certificates to trust instead of the system's"),
  timeout: duration
    .refine((ms) => ms >= 100 && ms <= 60_000, 'must be from 100ms to 1m')
    .prefault('10s')
    .describe('of one attempt, from connecting to the answer'),
  maxWaiting: z
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('messages that wait for it on one node; further ones are not sent, and the ledger says so'),
});
