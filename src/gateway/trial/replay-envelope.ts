import type { ScanLimits } from '../../message/types.js';
import { readMessage } from '../../message/read.js';
import { isAddress, withoutBrackets } from './envelope.js';

/** What can be told of the envelope from a stored message. */
export interface StoredEnvelope {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** ms since the epoch; absent when the message does not tell. */
  readonly receivedAt?: number;
}

/**
 * The sender stands in Return-Path or X-Envelope-From, else it is that of From; recipients stand in Delivered-To or
 * X-Original-To, else they are those of To and Cc. The time is that of the uppermost Received field, else of Date.
 * @param most recipients that are taken
 */
export function storedEnvelope(bytes: Buffer, limits: ScanLimits, most: number): StoredEnvelope {
  const message = readMessage(bytes, limits, { depth: 'header' });
  const inFields = (...names: string[]): string[] =>
    names.flatMap((name) => [...message.header(name)]).map(firstAddress);
  const inAddresses = (...names: string[]): string[] =>
    names.flatMap((name) => message.addresses(name).map(({ address }) => address));
  const [given] = inFields('return-path', 'x-envelope-from');
  const sender = given ?? inAddresses('from').find(isAddress) ?? '';
  const delivered = [inFields('delivered-to'), inFields('x-original-to')].find((list) => list.some(isAddress));
  const recipients = [...new Set((delivered ?? inAddresses('to', 'cc')).filter(isAddress))].slice(0, most);
  const [received = ''] = message.header('received');
  const [date = ''] = message.header('date');
  const time = [received.slice(received.lastIndexOf(';') + 1), date].map(timeIn).find((one) => one !== undefined);
  return { sender: isAddress(sender) ? sender : '', recipients, ...(time === undefined ? {} : { receivedAt: time }) };
}

function firstAddress(value: string): string {
  return withoutBrackets(/<[^<>]*>/.exec(value)?.[0] ?? value.trim());
}

function timeIn(text: string): number | undefined {
  const time = Date.parse(text.replace(/\([^)]*\)/g, '').trim());
  return Number.isNaN(time) || time < 0 ? undefined : time;
}
