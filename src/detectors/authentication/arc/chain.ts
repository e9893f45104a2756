import type { ByteRange } from '../../../message/types.js';
import type { FieldRanges } from '../dkim/canonical-header.js';
import { colonList, parseTagList, type TagList } from '../dkim/tags.js';

/** RFC 8617 4.2.1. */
const MAX_SETS = 50;
/** Bytes of one field; each is hashed once for every seal above it. */
const MAX_LENGTH = 32 * 1024;

export interface ArcField {
  readonly range: ByteRange;
  readonly tags: TagList;
}

/** What one intermediary added (RFC 8617 4.2). */
export interface ArcSet {
  readonly results: ArcField;
  readonly signature: ArcField;
  readonly seal: ArcField;
}

/** The sets from the first instance on, none where there is no ARC field; or why they make no chain. */
export type Chain =
  { readonly kind: 'sets'; readonly sets: readonly ArcSet[] } | { readonly kind: 'broken'; readonly reason: string };

const broken = (reason: string): Chain => ({ kind: 'broken', reason });

/** Reads the chain and checks its structure, before any look-up (RFC 8617 5.2 steps 1 to 3). */
export function readChain(bytes: Buffer, fields: FieldRanges): Chain {
  const named = (name: string): readonly ByteRange[] => fields.get(name) ?? [];
  const results = named('arc-authentication-results');
  const signatures = named('arc-message-signature');
  const seals = named('arc-seal');
  if ([results, signatures, seals].some((ranges) => ranges.length > MAX_SETS))
    return broken('the message bears too many ARC fields');
  if (results.length !== seals.length || signatures.length !== seals.length) return broken('the sets are not complete');
  const byInstance = {
    // RFC 8617 4.1.1: the instance stands first, and what follows is no tag list.
    results: readFields(bytes, results, (value) => value.split(';', 1)[0] ?? ''),
    signatures: readFields(bytes, signatures),
    seals: readFields(bytes, seals),
  };
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= seals.length; instance += 1) {
    const set = {
      results: byInstance.results.get(instance),
      signature: byInstance.signatures.get(instance),
      seal: byInstance.seals.get(instance),
    };
    if (!isWhole(set)) return broken('the sets are not complete');
    const problem = sealProblem(set.seal.tags, instance) ?? signatureProblem(set.signature.tags);
    if (problem !== undefined) return broken(problem);
    sets.push(set);
  }
  return { kind: 'sets', sets };
}

/** The fields that can be read by instance: with one that cannot, or is there twice, an instance is missing. */
function readFields(
  bytes: Buffer,
  ranges: readonly ByteRange[],
  tagsOf = (value: string): string => value,
): ReadonlyMap<number, ArcField> {
  const read = new Map<number, ArcField>();
  for (const range of ranges) {
    if (range.end - range.start > MAX_LENGTH) continue;
    const text = bytes.toString('latin1', range.start, range.end);
    const tags = parseTagList(tagsOf(text.slice(text.indexOf(':') + 1)));
    const instance = tags?.get('i') ?? '';
    if (tags !== undefined && /^\d{1,2}$/.test(instance)) read.set(Number(instance), { range, tags });
  }
  return read;
}

function isWhole(set: { readonly [Name in keyof ArcSet]: ArcSet[Name] | undefined }): set is ArcSet {
  return set.results !== undefined && set.signature !== undefined && set.seal !== undefined;
}

/** RFC 8617 4.1.3, 5.2 step 3. A seal is always `relaxed`, of fields that it does not choose. */
function sealProblem(tags: TagList, instance: number): string | undefined {
  const status = tags.get('cv')?.toLowerCase();
  if (status === 'fail') return 'a sealer found the chain broken';
  if (status !== (instance === 1 ? 'none' : 'pass')) return 'a seal with a status that cannot be';
  if (tags.has('h')) return 'a seal that names fields';
  return (tags.get('c') ?? 'relaxed/relaxed').toLowerCase() === 'relaxed/relaxed'
    ? undefined
    : 'a seal that is not relaxed';
}

/** RFC 8617 4.1.2. */
function signatureProblem(tags: TagList): string | undefined {
  return colonList(tags.get('h') ?? '').includes('arc-seal') ? 'a signature that covers a seal' : undefined;
}
