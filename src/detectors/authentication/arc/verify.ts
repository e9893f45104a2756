import { canonicalField, canonicalSignatureField } from '../dkim/canonical-header.js';
import type { Evidence } from '../dkim/evidence.js';
import { judge, judgeData, type Judged } from '../dkim/judge.js';
import { checkSignature, signerOf, signerProblem, timeProblem } from '../dkim/signature.js';
import type { TagList } from '../dkim/tags.js';
import type { Dns } from '../dns.js';
import type { ArcOutcome } from '../types.js';
import { readChain, type ArcField, type ArcSet } from './chain.js';

/**
 * Verifies the chain of seals of a message (RFC 8617 5.2): the newest ARC-Message-Signature, then all seals from the
 * newest down.
 * @param now ms since the epoch
 */
export async function verifyArc(evidence: Evidence, dns: Dns, now: number): Promise<ArcOutcome> {
  const chain = readChain(evidence.bytes, evidence.fields);
  if (chain.kind === 'broken') return { result: 'fail', instances: 0, reason: chain.reason };
  const { sets } = chain;
  const newest = sets.at(-1);
  if (newest === undefined) return { result: 'none', instances: 0, reason: '' };
  const ended = ({ result, reason }: Judged, part: string): ArcOutcome => ({
    result: result === 'temperror' ? 'temperror' : 'fail',
    instances: sets.length,
    reason: `${part}: ${reason}`,
  });

  const seconds = Math.floor(now / 1000);
  const signature = await judgeSignature(newest.signature, evidence, dns, seconds);
  if (signature.result !== 'pass') return ended(signature, `signature ${sets.length}`);
  const seals = sealsOf(sets, evidence.bytes);
  for (const [index, { tags, own }] of [...seals.entries()].reverse()) {
    const below = seals.slice(0, index).map(({ covered }) => covered);
    const data = Buffer.from(below.join('') + own, 'latin1');
    const seal = await judgeSeal(tags, data, dns, seconds);
    if (seal.result !== 'pass') return ended(seal, `seal ${index + 1}`);
  }
  return { result: 'pass', instances: sets.length, reason: '' };
}

/**
 * An ARC-Message-Signature is a DKIM-Signature without a version, whose `i=` is no identity (RFC 8617 4.1.2). Where it
 * has no `c=`, sealers mean `relaxed`.
 */
async function judgeSignature({ range, tags }: ArcField, evidence: Evidence, dns: Dns, now: number): Promise<Judged> {
  const alike = new Map(tags).set('v', '1').set('c', tags.get('c') ?? 'relaxed/relaxed');
  alike.delete('i');
  const signature = checkSignature(alike, now);
  if (signature.kind === 'refused') return { result: 'permerror', reason: signature.reason };
  if (signature.length !== undefined) return { result: 'permerror', reason: 'the end of the body is not signed' };
  return await judge(signature, range, evidence, dns);
}

interface Seal {
  readonly tags: TagList;
  /** What the seal covers of its own set, itself without `b=` included. */
  readonly own: string;
  /** What seals above it cover of the set. */
  readonly covered: string;
}

/** In canonical form, which is always `relaxed`: each set as results, signature, seal (RFC 8617 5.1.1). */
function sealsOf(sets: readonly ArcSet[], bytes: Buffer): Seal[] {
  const bytesOf = ({ range }: ArcField): Buffer => bytes.subarray(range.start, range.end);
  return sets.map(({ results, signature, seal }) => {
    const before = canonicalField(bytesOf(results), 'relaxed') + canonicalField(bytesOf(signature), 'relaxed');
    return {
      tags: seal.tags,
      own: before + canonicalSignatureField(bytesOf(seal), 'relaxed'),
      covered: before + canonicalField(bytesOf(seal), 'relaxed'),
    };
  });
}

async function judgeSeal(tags: TagList, data: Buffer, dns: Dns, now: number): Promise<Judged> {
  const signer = signerOf(tags);
  const problem = signerProblem(signer) ?? timeProblem(tags, now);
  return problem === undefined ? await judgeData(signer, data, dns) : { result: 'permerror', reason: problem };
}
