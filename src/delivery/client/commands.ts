import { isAscii, withAsciiDomain } from '../../message/ascii.js';
import type { EnvelopeRecipient } from '../../message/envelope.js';
import { ownReply } from '../reply.js';
import { asciiOrcpt } from '../dsn/address.js';
import type { HopReply, OutgoingMail } from '../types.js';
import type { Extensions } from './extensions.js';

/** MAIL FROM with the parameters that the server offers (RFC 1870, 6152, 6531, 3461 4.3 and 4.4). */
export function mailCommand(mail: OutgoingMail, offered: Extensions): string {
  const utf8 = needsUtf8(mail);
  const parts = [`MAIL FROM:<${utf8 ? mail.sender : withAsciiDomain(mail.sender)}>`];
  if (offered.size) parts.push(`SIZE=${mail.content.size}`);
  if (mail.eightBit && offered.eightBitMime) parts.push('BODY=8BITMIME');
  if (utf8) parts.push('SMTPUTF8');
  if (offered.dsn && mail.ret !== undefined) parts.push(`RET=${mail.ret === 'full' ? 'FULL' : 'HDRS'}`);
  if (offered.dsn && mail.envid !== undefined && isXtext(mail.envid)) parts.push(`ENVID=${mail.envid}`);
  return `${parts.join(' ')}\r\n`;
}

/** RCPT TO with the parameters of RFC 3461 4.1 and 4.2 where the server offers DSN. @param utf8 MAIL has SMTPUTF8 */
export function rcptCommand(recipient: EnvelopeRecipient, offered: Extensions, utf8: boolean): string {
  const parts = [`RCPT TO:<${utf8 ? recipient.address : withAsciiDomain(recipient.address)}>`];
  if (offered.dsn && recipient.notify !== undefined && recipient.notify.length > 0)
    parts.push(`NOTIFY=${recipient.notify.join(',').toUpperCase()}`);
  // RFC 6533 3: in a session without SMTPUTF8 it has to be ASCII.
  const orcpt = recipient.orcpt === undefined || utf8 ? recipient.orcpt : asciiOrcpt(recipient.orcpt);
  if (offered.dsn && orcpt !== undefined && isXtext(orcpt)) parts.push(`ORCPT=${orcpt.replace('; ', ';')}`);
  return `${parts.join(' ')}\r\n`;
}

/** Why this server cannot be given this mail at all; undefined when it can. Nothing is converted: signatures would break. */
export function unfit(mail: OutgoingMail, offered: Extensions): HopReply | undefined {
  if (!isSafe(mail.sender)) return ownReply(553, '5.1.7', 'the sender address cannot be passed on');
  if (needsUtf8(mail) && !offered.smtpUtf8)
    return ownReply(550, '5.6.7', 'the next server takes no internationalized addresses or headers (SMTPUTF8)');
  if (mail.eightBit && !offered.eightBitMime)
    return ownReply(554, '5.6.3', 'the next server takes no 8-bit mail (8BITMIME)');
  if (offered.maxSize !== undefined && mail.content.size > offered.maxSize)
    return ownReply(552, '5.3.4', 'the message is larger than the next server takes');
  return undefined;
}

/** Whether an address may stand in a command line: no control characters, bounded. */
export function isSafe(address: string): boolean {
  return address.length <= 1000 && !/\p{Cc}/u.test(address);
}

/**
 * Whether MAIL bears SMTPUTF8: for a local part beyond ASCII, and for a message with 8-bit bytes that came with it, as its
 * headers may be such (RFC 6532). Not for the sake of a domain, which has a form in ASCII (RFC 5891 4.4), nor because a
 * client says it always: mail that is not internationalized is every server's to take (RFC 6531 3.2).
 */
export function needsUtf8(mail: OutgoingMail): boolean {
  if (mail.smtpUtf8 && mail.eightBit) return true;
  const addresses = [mail.sender, ...mail.recipients.map(({ address }) => address)];
  return addresses.some((address) => !isAscii(withAsciiDomain(address)));
}

/** Printable characters without a space, bounded: what ENVID and ORCPT consist of. */
function isXtext(text: string): boolean {
  return /^[!-~\u00a0-\u{10ffff}]{1,1000}$/u.test(text);
}
