import type { Message, MessageObject } from '../../message/types.js';
import type { Finding } from '../types.js';
import { isHit, type Scanner, type Verdict } from './verdict.js';

/** Objects that are asked about in search of the infected one; the rest is then judged as a whole. */
const MAX_ASKED = 200;

/**
 * Names the attachments that a hit in the whole message lies in, so that rules can remove them. The message without
 * them is scanned once more: only when it is clean does the finding name the attachments alone.
 * @param whole the verdict about the message
 * @returns findings of the objects; and one of the message, without `object`, when they do not explain all of the hit
 * @throws DetectorError when the engine fails meanwhile
 */
export async function locate(
  message: Message,
  whole: Verdict,
  scanner: Scanner,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const parts = new Set<number>();
  let asked = 0;
  for (const attachment of message.objects) {
    if (attachment.depth > 0 || asked >= MAX_ASKED) continue;
    asked++;
    const verdict = await scanObject(attachment, scanner, signal);
    if (!isHit(verdict)) continue;
    parts.add(attachment.part);
    const inside = message.objects.filter((one) => one.depth > 0 && one.part === attachment.part);
    const found: Finding[] = [];
    for (const object of inside.slice(0, MAX_ASKED - asked)) {
      asked++;
      const own = await scanObject(object, scanner, signal);
      if (isHit(own)) found.push(objectFinding(object, own));
    }
    findings.push(...(found.length > 0 ? innermost(found) : [objectFinding(attachment, verdict)]));
  }
  if (findings.length === 0) return [messageFinding(whole)];
  const rest = await scanner.scan(piecesWithout(message, parts), signal);
  return isHit(rest) ? [messageFinding(rest), ...findings] : findings;
}

/** The verdicts about all attachments and archive entries, each by itself, as findings. @throws DetectorError */
export async function scanObjects(
  message: Message,
  scanner: Scanner,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const hits: Finding[] = [];
  const limits: Finding[] = [];
  for (const object of message.objects) {
    const verdict = await scanObject(object, scanner, signal);
    if (isHit(verdict)) hits.push(objectFinding(object, verdict));
    else if (verdict.status === 'limit') limits.push(objectFinding(object, verdict));
  }
  return [...innermost(hits), ...limits];
}

/** A finding about the message as a whole. */
export function messageFinding({ status, name, detail }: Verdict): Finding {
  return {
    module: 'antivirus',
    status,
    ...(name === undefined ? {} : { name }),
    ...(detail === undefined ? {} : { detail }),
  };
}

async function scanObject(object: MessageObject, scanner: Scanner, signal: AbortSignal): Promise<Verdict> {
  signal.throwIfAborted();
  const bytes = object.content();
  // What cannot be opened is reported by the reader of the message, as a problem or as encrypted.
  if (bytes === undefined || bytes.length === 0) return { status: 'clean' };
  return await scanner.scan([bytes], signal);
}

function objectFinding(object: MessageObject, verdict: Verdict): Finding {
  return { ...messageFinding(verdict), object: object.path, size: object.size };
}

/** Of a container and an entry of it with the same verdict only the entry. */
function innermost(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(
    (outer) =>
      !findings.some(
        (inner) => inner.status === outer.status && inner.object?.startsWith(`${outer.object ?? ''}/`) === true,
      ),
  );
}

/** The bytes of the message without the bodies of the parts. */
function piecesWithout(message: Message, parts: ReadonlySet<number>): Uint8Array[] {
  const cuts = message.structure.parts.filter((part) => parts.has(part.index)).map((part) => part.body);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end } of cuts.toSorted((a, b) => a.start - b.start)) {
    if (start > at) pieces.push(message.bytes.subarray(at, start));
    at = Math.max(at, end);
  }
  if (at < message.bytes.length) pieces.push(message.bytes.subarray(at));
  return pieces;
}
