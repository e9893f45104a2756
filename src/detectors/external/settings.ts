import { z } from 'zod';
import { duration, size } from '../../config/values.js';

const service = z.string().refine((text) => isService(text), {
  error: 'the address of the service must be an http:// or https:// URL without a user in it',
  params: { hint: 'write it as http://127.0.0.1:9000/verdict; a password goes into `token`' },
});

const header = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'a token is printable ASCII without spaces');

export const settingsSchema = z.strictObject({
  url: service,
  /** What the service is given: the whole message, or hashes of it and of what is in it. */
  send: z.enum(['message', 'hash']).default('message'),
  /** Statuses that the service reports: what rules name under `external`. */
  statuses: z
    .array(z.string().regex(/^(?!(?:clean|error|timeout|limit)$)[a-z][a-z0-9-]{0,40}$/, 'not a status'))
    .min(1)
    .default(['malicious', 'suspicious']),
  /**
   * How long an inspection asks for the verdict, ms; without it nine tenths of what the module has. The module's own
   * `timeout` is the bound.
   */
  verdictTimeout: duration.optional(),
  /** What a verdict that is late means. */
  onLate: z.enum(['error', 'hold']).default('error'),
  /** How long a message waits in the spool under `onLate: hold`, counted from when it was received, ms. */
  holdLimit: duration.default(3_600_000),
  /** Larger messages are not sent whole. */
  maxSize: size.default(25 * 2 ** 20),
  /** Signs each request. */
  secret: z.string().min(1).optional(),
  /** Sent as `Authorization: Bearer`. */
  token: header.optional(),
});

export type ExternalSettings = z.infer<typeof settingsSchema>;

function isService(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}
