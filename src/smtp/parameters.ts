import { isAscii } from '../message/ascii.js';
import type { NotifyCondition } from '../message/envelope.js';
import type { SmtpReply } from '../rules/types.js';

/** RFC 3461 4.4 and 4.2: characters of the xtext. */
const MAX_ENVID = 100;
const MAX_ORCPT = 500;

export interface MailParameters {
  /** RFC 1870: bytes. */
  readonly size?: number;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
  readonly ret?: 'full' | 'headers';
  readonly envid?: string;
}

export interface RcptParameters {
  readonly notify?: readonly NotifyCondition[];
  readonly orcpt?: string;
}

type Read<T> = { readonly value: T } | { readonly refusal: SmtpReply };

/**
 * Parameters of MAIL FROM: SIZE, BODY, SMTPUTF8, RET, ENVID, and AUTH where we offer it (RFC 4954 5; not acted on).
 * @param text what stands behind the path
 */
export function readMailParameters(text: string, authOffered: boolean): Read<MailParameters> {
  const known = ['SIZE', 'BODY', 'SMTPUTF8', 'RET', 'ENVID', ...(authOffered ? ['AUTH'] : [])];
  const read = split(text, known);
  if ('refusal' in read) return read;
  const { value: given } = read;
  const size = given.get('SIZE');
  if (size !== undefined && !/^\d{1,20}$/.test(size)) return bad('SIZE');
  const body = given.get('BODY')?.toUpperCase();
  if (body !== undefined && body !== '7BIT' && body !== '8BITMIME') return bad('BODY');
  const utf8 = given.get('SMTPUTF8');
  if (utf8 !== undefined && utf8 !== '') return bad('SMTPUTF8');
  const ret = given.get('RET')?.toUpperCase();
  if (ret !== undefined && ret !== 'FULL' && ret !== 'HDRS') return bad('RET');
  const envid = given.get('ENVID');
  if (envid !== undefined && (envid.length > MAX_ENVID || !isXtext(envid))) return bad('ENVID');
  if (given.get('AUTH') === '') return bad('AUTH');
  return {
    value: {
      ...(size === undefined ? {} : { size: Number(size) }),
      eightBit: body === '8BITMIME',
      smtpUtf8: utf8 !== undefined,
      ...(ret === undefined ? {} : { ret: ret === 'FULL' ? 'full' : 'headers' }),
      ...(envid === undefined ? {} : { envid }),
    },
  };
}

/** Parameters of RCPT TO: NOTIFY and ORCPT (RFC 3461 4.1, 4.2). */
export function readRcptParameters(text: string): Read<RcptParameters> {
  const read = split(text, ['NOTIFY', 'ORCPT']);
  if ('refusal' in read) return read;
  const notify = read.value.get('NOTIFY');
  const conditions = notify === undefined ? undefined : readNotify(notify);
  if (notify !== undefined && conditions === undefined) return bad('NOTIFY');
  const given = read.value.get('ORCPT');
  const orcpt = given === undefined ? undefined : withType(given);
  if (orcpt !== undefined && !isOriginalRecipient(orcpt)) return bad('ORCPT');
  return {
    value: { ...(conditions === undefined ? {} : { notify: conditions }), ...(orcpt === undefined ? {} : { orcpt }) },
  };
}

function readNotify(text: string): NotifyCondition[] | undefined {
  const conditions: NotifyCondition[] = [];
  for (const word of text.toLowerCase().split(',')) {
    if (word !== 'never' && word !== 'success' && word !== 'failure' && word !== 'delay') return undefined;
    if (!conditions.includes(word)) conditions.push(word);
  }
  return conditions.includes('never') && conditions.length > 1 ? undefined : conditions;
}

/** Postfix gives an address in UTF-8 the type `rfc822`, which is for ASCII, as it is or in xtext: it gets the right one. */
function withType(orcpt: string): string {
  const [, given = ''] = /^rfc822;(.+)$/i.exec(orcpt) ?? [];
  const address = given.replace(/(?:\+[89A-F][0-9A-F])+/g, (run) =>
    Buffer.from(run.replaceAll('+', ''), 'hex').toString(),
  );
  const isUtf8 = /^(?:[!-*,-<>-[\]-~\u00a0-\ufffc\u{10000}-\u{10ffff}]|\+[2-7][0-9A-F])+$/u.test(address);
  return isUtf8 && !isAscii(address) ? `utf-8;${address}` : orcpt;
}

/** Address type, a semicolon, and the address: xtext, or UTF-8 as it is for the type `utf-8` (RFC 6533 3). */
function isOriginalRecipient(text: string): boolean {
  const match = /^([A-Za-z0-9-]+);(.+)$/.exec(text);
  if (match === null || text.length > MAX_ORCPT) return false;
  return isXtext(match[2] ?? '') || /^utf-8$/i.test(match[1] ?? '');
}

/** RFC 3461 4; what it decodes to must be printable. */
function isXtext(text: string): boolean {
  return /^(?:[!-*,-<>-~]|\+[2-7][0-9A-F])+$/.test(text) && !text.includes('+7F');
}

/** Keywords in upper case and their values; the empty string where there is none. */
function split(text: string, known: readonly string[]): Read<ReadonlyMap<string, string>> {
  const given = new Map<string, string>();
  if (text === '') return { value: given };
  if (!text.startsWith(' ')) return { refusal: { code: 501, enhanced: '5.5.4', text: 'Bad parameter syntax' } };
  for (const part of text.split(' ')) {
    if (part === '') continue;
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\x00-\x20=\x7f]+))?$/.exec(part);
    const keyword = match?.[1]?.toUpperCase();
    if (keyword === undefined || keyword.length > 64) {
      return { refusal: { code: 501, enhanced: '5.5.4', text: 'Bad parameter syntax' } };
    }
    if (!known.includes(keyword)) {
      return { refusal: { code: 555, enhanced: '5.5.4', text: `Parameter ${keyword} is not supported` } };
    }
    if (given.has(keyword)) {
      return { refusal: { code: 501, enhanced: '5.5.4', text: `Parameter ${keyword} is given twice` } };
    }
    given.set(keyword, match?.[2] ?? '');
  }
  return { value: given };
}

function bad(keyword: string): { readonly refusal: SmtpReply } {
  return { refusal: { code: 501, enhanced: '5.5.4', text: `Bad value of parameter ${keyword}` } };
}
