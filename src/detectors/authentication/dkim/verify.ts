import type { HeaderField, Message } from '../../../message/types.js';
import type { Dns } from '../dns.js';
import type { ArcOutcome, SignatureOutcome } from '../types.js';
import { bodyHash } from './body-hash.js';
import { canonicalBodyLength } from './body-length.js';
import { fieldRanges, type Canonicalization } from './canonical-header.js';
import { signedHeader } from './header-signature.js';
import { judge } from './judge.js';
import { verifyWith, type Library, type LibraryResults } from './library.js';
import { readSignature, type RefusedSignature, type Signature } from './signature.js';

/** Signatures of one message that are verified, from the top; each costs a look-up. */
const MAX_SIGNATURES = 8;
/** ARC fields of one message: 50 sets of three (RFC 8617 4.2.1). */
const MAX_ARC_FIELDS = 150;
const ARC = new Set(['arc-seal', 'arc-message-signature', 'arc-authentication-results']);

export interface DkimOutcome {
  /** In the order of the message; empty when it is not signed. */
  readonly signatures: readonly SignatureOutcome[];
  readonly arc: ArcOutcome;
}

interface Parts {
  readonly message: Message;
  readonly dns: Dns;
  readonly library: Library;
  readonly now: number;
}

type Read = (Signature | RefusedSignature) & { readonly field: HeaderField };

/**
 * Verifies the DKIM signatures (RFC 6376) and the ARC chain (RFC 8617) of a message. mailauth verifies the chain. What
 * a DKIM signature covers is read among all fields of the message.
 * @param now ms since the epoch
 */
export async function verifyDkim(message: Message, dns: Dns, library: Library, now: number): Promise<DkimOutcome> {
  const { fields } = message.structure.root;
  const read = fields
    .filter((field) => field.key === 'dkim-signature')
    .map((field, index): Read => ({ field, ...readOne(message, field, index, now) }));
  const arcFields = fields.filter((field) => ARC.has(field.key));
  const chain = chainProblem(message, arcFields);
  const parts: Parts = { message, dns, library, now };
  return { signatures: await outcomesOf(read, parts), arc: chain ?? (await arcOutcome(read, parts)) };
}

const NO_CHAIN: ArcOutcome = { result: 'none', instances: 0, reason: '' };

function readOne(message: Message, field: HeaderField, index: number, now: number): Signature | RefusedSignature {
  const value = message.bytes.toString('latin1', field.value.start, field.value.end);
  const signature = readSignature(value, Math.floor(now / 1000));
  if (signature.kind === 'refused') return signature;
  const refused = (reason: string): RefusedSignature => ({ ...signature, kind: 'refused', reason });
  if (index >= MAX_SIGNATURES) return refused('the message bears too many signatures');
  if (signature.length === undefined) return signature;
  const body = message.bytes.subarray(message.structure.root.body.start, message.structure.root.body.end);
  const length = canonicalBodyLength(body, signature.bodyCanonicalization);
  if (signature.length > length) return refused('the signature claims more body than there is');
  return signature.length < length ? refused('the end of the body is not signed') : signature;
}

/** What a chain must not have, before it is verified. */
function chainProblem(message: Message, fields: readonly HeaderField[]): ArcOutcome | undefined {
  if (fields.length === 0) return NO_CHAIN;
  const fail = (reason: string): ArcOutcome => ({ result: 'fail', instances: 0, reason });
  if (fields.length > MAX_ARC_FIELDS) return fail('the message bears too many ARC fields');
  const limited = fields.some(
    (field) =>
      field.key === 'arc-message-signature' &&
      /(?:^|;)\s*l\s*=/.test(message.bytes.toString('latin1', field.value.start, field.value.end)),
  );
  return limited ? fail('the end of the body is not signed') : undefined;
}

/** The chain as it stands among all fields: a seal may cover signatures that were left out of the first reading. */
async function arcOutcome(read: readonly Read[], parts: Parts): Promise<ArcOutcome> {
  const leftOut = new Set(read.filter((one) => one.kind === 'refused').map((one) => one.field));
  const results = await verifyWithout(leftOut, parts);
  const unreadable: ArcOutcome = { result: 'fail', instances: 0, reason: 'the chain cannot be read' };
  if (results === undefined) return unreadable;
  const complete = read.every((one) => one.kind === 'acceptable');
  const harmless =
    read.length <= MAX_SIGNATURES && read.every((one) => !/(?:^|;)\s*l\s*=/.test(textOf(parts.message, one)));
  if (results.arc.result !== 'fail' || complete || !harmless) return results.arc;
  return (await verifyWithout(new Set(), parts))?.arc ?? unreadable;
}

function textOf(message: Message, { field }: Read): string {
  return message.bytes.toString('latin1', field.value.start, field.value.end);
}

async function verifyWithout(
  leftOut: ReadonlySet<HeaderField>,
  { message, dns, library, now }: Parts,
): Promise<LibraryResults | undefined> {
  try {
    return await verifyWith(library, piecesWithout(message, leftOut), dns, now);
  } catch {
    // A message that breaks the library bears no signature that could be verified; the outcome says so.
    return undefined;
  }
}

/** The message without some of its fields, and with an empty line behind its header whether it had one or not. */
function piecesWithout({ bytes, structure }: Message, leftOut: ReadonlySet<HeaderField>): Buffer[] {
  const { header, body } = structure.root;
  const pieces: Buffer[] = [];
  let position = header.start;
  for (const { start, end } of [...leftOut].map((field) => field.range).sort((a, b) => a.start - b.start)) {
    pieces.push(bytes.subarray(position, start));
    position = end;
  }
  const rest = bytes.subarray(position, header.end);
  const ended = rest.length === 0 || rest.at(-1) === 0x0a;
  pieces.push(rest, Buffer.from(ended ? '\r\n' : '\r\n\r\n'), bytes.subarray(body.start, body.end));
  return pieces.filter((piece) => piece.length > 0);
}

async function outcomesOf(read: readonly Read[], { message, dns }: Parts): Promise<SignatureOutcome[]> {
  const from = fromFields(message);
  const { bytes, structure } = message;
  const { header, body } = structure.root;
  const fields = fieldRanges(bytes, header);
  const hashes = new Map<Canonicalization, string>();
  const hashOf = (canonicalization: Canonicalization): string => {
    const hash = hashes.get(canonicalization) ?? bodyHash(bytes.subarray(body.start, body.end), canonicalization);
    hashes.set(canonicalization, hash);
    return hash;
  };
  return await Promise.all(
    read.map(async (one): Promise<SignatureOutcome> => {
      const known = { domain: one.domain, selector: one.selector, mark: one.signature.slice(0, 8) };
      if (one.kind === 'refused') return { ...known, result: 'permerror', reason: one.reason };
      const evidence = {
        header: signedHeader(bytes, fields, one.field.range, one),
        bodyHash: hashOf(one.bodyCanonicalization),
        fromFields: from,
      };
      return { ...known, ...(await judge(one, evidence, dns)) };
    }),
  );
}

/** How many fields some reader may take for From. */
function fromFields({ bytes, structure }: Message): number {
  const { header, fields } = structure.root;
  const lines = bytes.toString('latin1', header.start, header.end).match(/^from[ \t]*:/gim);
  return Math.max(lines?.length ?? 0, fields.filter((field) => field.key === 'from').length);
}
