import { isIPv4 } from 'node:net';
import { replyLine } from '../reply.js';
import type { HopReply } from '../types.js';
import { decodeXtext, originalRecipient, typedAddress } from './address.js';
import { asciiOnly, dateField, foldField } from './encode.js';
import type { DsnInput, DsnRecipient } from './types.js';

/**
 * The fields of a delivery status (RFC 3464 2.2 and 2.3), a group for the message and one for each recipient.
 * @param global message/global-delivery-status, in UTF-8 (RFC 6533 4)
 */
export function statusFields(input: DsnInput, global: boolean): string[] {
  const { envelope, hostname, receivedAt, traceId, recipients } = input;
  const envid = envelope.envid === undefined ? undefined : decodeXtext(envelope.envid);
  const lines = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(envid === undefined ? [] : [foldField(`Original-Envelope-Id: ${envid}`)]),
    `Arrival-Date: ${dateField(receivedAt)}`,
    `X-Gatepost-ID: ${traceId}`,
    '',
  ];
  for (const one of recipients) lines.push(...recipientFields(one, input, global), '');
  return lines;
}

function recipientFields(one: DsnRecipient, { now, retryUntil }: DsnInput, global: boolean): string[] {
  const { recipient, action, hop } = one;
  const original = recipient.orcpt === undefined ? undefined : originalRecipient(recipient.orcpt, global);
  return [
    ...(original === undefined ? [] : [foldField(`Original-Recipient: ${original}`)]),
    foldField(`Final-Recipient: ${typedAddress(recipient.address, global)}`),
    `Action: ${action}`,
    `Status: ${statusOf(one)}`,
    ...(hop === undefined || !asked(one) ? [] : [foldField(`Remote-MTA: dns; ${mtaName(hostOf(hop))}`)]),
    ...diagnostic(one, global),
    `Last-Attempt-Date: ${dateField(now)}`,
    ...(action === 'delayed' && retryUntil !== undefined ? [`Will-Retry-Until: ${dateField(retryUntil)}`] : []),
  ];
}

/** Whether a server was asked: a folder is none. */
export function asked({ hop }: DsnRecipient): boolean {
  return hop !== undefined && /^smtps?:/.test(hop);
}

/** RFC 3464 2.2.2: a domain, or an address literal (RFC 5321 4.1.3). @param host an IPv6 address has its brackets */
function mtaName(host: string): string {
  if (host.startsWith('[')) return `[IPv6:${host.slice(1)}`;
  return isIPv4(host) ? `[${host}]` : host;
}

/** RFC 3464 2.3.6: `smtp` for what a server said, a type of our own for our words. Nothing where all went well here. */
function diagnostic(one: DsnRecipient, global: boolean): string[] {
  const { reply, action } = one;
  const own = reply.own === true || !asked(one);
  if (own && action === 'delivered') return [];
  const line = replyLine(reply);
  return [foldField(`Diagnostic-Code: ${own ? 'X-Gatepost' : 'smtp'}; ${global ? line : asciiOnly(line)}`)];
}

/** RFC 3464 2.3.4: an enhanced code (RFC 3463) of the class that belongs to the action. */
export function statusOf({ action, reply, expired }: Pick<DsnRecipient, 'action' | 'reply' | 'expired'>): string {
  if (expired === true) return '4.4.7';
  if (action === 'delivered' || action === 'relayed') return codeIn(reply, '2') ?? '2.0.0';
  if (action === 'delayed') return codeIn(reply, '4') ?? '4.0.0';
  return codeIn(reply, '5') ?? '5.0.0';
}

function codeIn({ enhanced }: HopReply, group: string): string | undefined {
  return enhanced?.startsWith(`${group}.`) === true ? enhanced : undefined;
}

/** The host of `smtp://host:25`; the name of a folder is not for senders. */
export function hostOf(hop: string): string {
  return /^smtps?:\/\/(.+?)(?::\d+)?$/.exec(hop)?.[1] ?? 'the mail store';
}
