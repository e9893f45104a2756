import { isAttachment } from '../objects/attachment.js';
import { bodyOf } from '../decode/part-body.js';
import { isEnclosedMessage } from '../structure.js';
import type { Message, Part } from '../types.js';

const CONTAINERS: ReadonlyMap<string, string> = new Map([
  ['multipart/signed', 'signed'],
  ['multipart/encrypted', 'encrypted'],
  ['application/pgp-encrypted', 'encrypted'],
]);
const SMIME: ReadonlySet<string> = new Set(['application/pkcs7-mime', 'application/x-pkcs7-mime']);
/** Larger texts are not searched for PGP, and not edited either. */
const MAX_SEARCHED = 8 * 1024 * 1024;

/**
 * Whether the message is signed or encrypted, so that its body must stay as it is: S/MIME (RFC 8551), PGP/MIME
 * (RFC 3156), or PGP in the text itself. Attachments that are signed files, and enclosed messages, do not count.
 * @returns how, for people; undefined when it is neither
 */
export function protectionOf(message: Message): string | undefined {
  const { parts, root } = message.structure;
  const inside = new Set<number>();
  for (const part of parts) {
    const { parent } = part;
    const above = parent === undefined ? undefined : parts[parent];
    if (above !== undefined && (inside.has(above.index) || isEnclosedMessage(above.type))) {
      inside.add(part.index);
      continue;
    }
    const found = protectionOfPart(part, part === root);
    if (found !== undefined) return found;
  }
  for (const part of parts)
    if (!inside.has(part.index) && holdsPgp(message, part)) return 'signed or encrypted with PGP';
  return undefined;
}

function protectionOfPart(part: Part, isRoot: boolean): string | undefined {
  for (const type of [part.type, ...(part.otherTypes ?? [])]) {
    const container = CONTAINERS.get(type);
    if (container !== undefined) return container;
    if (SMIME.has(type) && (isRoot || isSmimeName(part.filename))) return 'signed or encrypted with S/MIME';
  }
  // As some gateways pass S/MIME on.
  return isRoot && isSmimeName(part.filename) ? 'signed or encrypted with S/MIME' : undefined;
}

function isSmimeName(name: string | undefined): boolean {
  return /^smime\.p7[ms]$/i.test(name ?? '');
}

function holdsPgp(message: Message, part: Part): boolean {
  if (part.type !== 'text/plain' || part.body.end - part.body.start > MAX_SEARCHED) return false;
  if (isAttachment(message.bytes, part)) return false;
  const body = bodyOf(message.bytes, part);
  if (!body.includes('-----BEGIN PGP ')) return false;
  const text = body.toString('latin1');
  return (
    /^-----BEGIN PGP (?:SIGNED )?MESSAGE-----/m.test(text) && /^-----END PGP (?:MESSAGE|SIGNATURE)-----/m.test(text)
  );
}
