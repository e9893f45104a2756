/** Characters that stand for themselves in both encoded forms: no `+`, `=`, backslash, space and control characters. */
const QCHAR = /[!-*,-<>-[\]-~]/;
/** Longest address that is written; what is longer came from no SMTP command of ours. */
const MAX_LENGTH = 1000;

/**
 * An address with its type for a field of a delivery status.
 * @param native UTF-8 as it is, for message/global-delivery-status; else what is not ASCII becomes `\x{...}`
 *   (RFC 6533 3: utf-8-addr-xtext)
 */
export function typedAddress(address: string, native: boolean): string {
  const clean = address.replace(/[\p{Cc}\p{Cs}]/gu, '').slice(0, MAX_LENGTH);
  if (!/[^\x20-\x7e]/.test(clean)) return `rfc822; ${clean}`;
  return `utf-8; ${native ? clean : utf8AddrXtext(clean)}`;
}

/** The form of an address in UTF-8 that consists of ASCII and needs no xtext (RFC 6533 3). */
export function utf8AddrXtext(address: string): string {
  return Array.from(address, (character) =>
    QCHAR.test(character) ? character : `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  ).join('');
}

/**
 * An ORCPT parameter as value of Original-Recipient: `type; address`; undefined when it is broken or hides control
 * characters. Addresses of type `utf-8` may come as UTF-8 or with `\x{...}`, any other in xtext.
 * @param native as for typedAddress
 */
export function originalRecipient(orcpt: string, native: boolean): string | undefined {
  const match = /^([A-Za-z0-9-]{1,60});(.+)$/s.exec(orcpt);
  if (match === null) return undefined;
  const [, type = '', value = ''] = match;
  if (type.toLowerCase() !== 'utf-8') {
    const plain = decodeXtext(value);
    return plain === undefined ? undefined : `${type};${plain}`;
  }
  const address = decodeUtf8Address(value);
  return address === undefined ? undefined : `utf-8;${native ? address : utf8AddrXtext(address)}`;
}

/** An ORCPT parameter for a session without SMTPUTF8, where it has to be ASCII; undefined when it is broken. */
export function asciiOrcpt(orcpt: string): string | undefined {
  if (!/[^!-~]/.test(orcpt)) return orcpt;
  return originalRecipient(orcpt, false);
}

/** Undoes utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 3); undefined when that gives no printable text. */
export function decodeUtf8Address(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-[\]-~\u00a0-\u{10ffff}]|\+[0-9A-F]{2}|\\x\{[0-9A-Fa-f]{1,6}\})+$/u.test(text)) return undefined;
  const bytes = text.replace(/\+([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const points = Array.from(bytes.matchAll(/\\x\{([0-9A-Fa-f]{1,6})\}/g), ([, code = '']) => Number.parseInt(code, 16));
  if (points.some((point) => point > 0x10ffff)) return undefined;
  const plain = bytes.replace(/\\x\{([0-9A-Fa-f]{1,6})\}/g, (_, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );
  return /[\p{Cc}\p{Cs}\u2028\u2029]/u.test(plain) ? undefined : plain;
}

/** Text behind xtext (RFC 3461 4); undefined when that is broken or hides control characters. */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/.test(text)) return undefined;
  const plain = text.replace(/\+([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return /[^\x20-\x7e]/.test(plain) ? undefined : plain;
}
