import { createHmac } from 'node:crypto';

/** Name of the field. */
export const SIGNATURE_FIELD = 'X-Gatepost-Signature';

/**
 * Value of the signature's header field: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`.
 * @param now ms since the epoch
 */
export function signatureOf(body: string, secret: string, now: number): string {
  const time = Math.floor(now / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
}
