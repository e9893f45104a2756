import { addressWords } from '../config/network-ranges.js';
import { parseNetwork } from '../config/networks.js';
import { excerptOf } from '../config/excerpt.js';
import type { Place, Problem } from '../config/problems.js';
import { foldsToNothing, MAX_MASK_LENGTH } from './mask.js';
import { complainOfMask } from './mask-lint.js';
import type { ListFile } from './lists.js';
import { isPlainEntry, visitLines, type ListLine } from './list-lines.js';
import type { ListUse } from './list-use.js';
import { ListPacker, type PackedList } from './packed-list.js';

/** Bytes of a line that are looked at for its excerpt. */
const MAX_LINE = 4096;

/** Of more mistakes in one list only the number is told: they are of one kind then. */
const MAX_PROBLEMS = 5;

export interface CheckedList {
  readonly packed: PackedList;
  readonly problems: readonly Problem[];
}

/** Reads the entries of a list, and says which cannot be what the list is used for. */
export function packListFile(list: ListFile, use: ListUse | undefined): CheckedList {
  const problems: Problem[] = [];
  const packer = new ListPacker();
  const asNetworks = use?.client === true || use?.ip === true;
  const plainIsRight = !asNetworks && use?.domain !== true;
  // What stands under `client` alone is never compared as text.
  const isOnlyNetworks = use?.client === true && !use.ip && !use.address && !use.domain && !use.text;
  let more = 0;
  let next: Place | undefined;
  visitLines(list.bytes, (line) => {
    if (plainIsRight && isPlainEntry(list.bytes, line.start, line.end)) {
      packer.addPlain(list.bytes, line.start, line.end);
      return;
    }
    const entry = list.bytes.toString('utf8', line.start, line.end).trim();
    const complaint = asNetworks && addNetwork(packer, entry) ? undefined : complainOfEntry(entry, list.name, use);
    if (!isOnlyNetworks || complaint !== undefined) packer.add(entry);
    if (complaint === undefined) return;
    if (problems.length < MAX_PROBLEMS) problems.push({ place: placeOf(list, line), ...complaint });
    else if (more++ === 0) next = placeOf(list, line);
  });
  if (more > 0)
    problems.push({
      severity: problems.some(({ severity }) => severity === 'error') ? 'error' : 'warning',
      place: next ?? { file: list.file, line: 1, column: 1 },
      message: more === 1 ? 'this entry has such a mistake too' : `from here on ${more} more entries of the list have such mistakes`,
    });
  return { packed: packer.build(asNetworks), problems };
}

/** The warning about a list that no rule names. */
export function unusedList({ file, name }: ListFile): Problem {
  return {
    severity: 'warning',
    place: { file, line: 1, column: 1 },
    message: `no rule uses the list "@${name}"`,
    hint: `write "@${name}" where masks stand in a rule, or remove the file`,
  };
}

/** @returns whether the entry is a network */
function addNetwork(packer: ListPacker, entry: string): boolean {
  const quick = quickAddress(entry);
  if (quick !== undefined) {
    packer.addNetwork([quick], 32);
    return true;
  }
  const parsed = parseNetwork(entry);
  if ('error' in parsed) return false;
  packer.addNetwork(addressWords(parsed.network[0].toByteArray()), parsed.network[1]);
  return true;
}

/** A plain IPv4 address, which most entries are. */
function quickAddress(entry: string): number | undefined {
  const parts = entry.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

type Complaint = Omit<Problem, 'place'>;

function complainOfEntry(entry: string, name: string, use: ListUse | undefined): Complaint | undefined {
  if (entry.startsWith('@'))
    return {
      severity: 'error',
      message: 'a list cannot hold another list',
      hint: `name both where the masks stand, or write "*${entry}" for a domain`,
    };
  if (entry.length > MAX_MASK_LENGTH)
    return { severity: 'error', message: `this entry is longer than ${MAX_MASK_LENGTH} characters`, hint: 'write one mask a line' };
  if (foldsToNothing(entry))
    return { severity: 'error', message: 'nothing of this entry can be seen: there is nothing to compare', hint: 'remove the line, or write it anew' };
  if (use?.client === true) {
    const parsed = parseNetwork(entry);
    if ('error' in parsed)
      return {
        severity: 'error',
        message: `${parsed.error}: "@${name}" is used under \`client\``,
        ...(parsed.hint === undefined ? {} : { hint: parsed.hint }),
      };
  }
  const asAddress = use?.address === true ? complainOfMask(entry, 'address') : undefined;
  const complaint = asAddress ?? (use?.domain === true && !use.address ? complainOfMask(entry, 'domain') : undefined);
  if (complaint === undefined) return undefined;
  const { message, hint } = complaint;
  if (/[,;]/.test(entry) && hint?.startsWith('write a list') === true)
    return { severity: 'warning', message, hint: 'write one mask a line' };
  return { severity: 'warning', ...complaint };
}

function placeOf({ file, bytes }: ListFile, { lineStart, lineEnd, start, line }: ListLine): Place {
  const before = bytes.toString('utf8', lineStart, start);
  const text = before + bytes.toString('utf8', start, Math.min(lineEnd, start + MAX_LINE));
  const column = before.length + 1;
  return { file, line, column, ...excerptOf(text, column) };
}
