import { decodeCharset } from '../../src/message/decode/charset.js';
import { bodyOf } from '../../src/message/decode/part-body.js';
import type { Banner } from '../../src/message/edit/banners.js';
import { applyEdits, planEdits, type Changes } from '../../src/message/edit.js';
import { readMessage } from '../../src/message/read.js';
import type { Message, Part } from '../../src/message/types.js';
import { LIMITS } from './mail.js';

export const WARN: Banner = { name: 'warn', text: 'Take care!\nReally.', html: '<p>Take care!</p>' };
export const BYE: Banner = { name: 'bye', text: 'Confidential.', html: '<p>Confidential.</p>' };
export const UMLAUT: Banner = { name: 'umlaut', text: 'Vorsicht: „Größe“ € ☃', html: '<p>Größe € ☃</p>' };
const NOTHING: Changes = { removals: [], tags: [], headers: { set: {}, add: {}, remove: [] } };

interface Result {
  readonly after: Buffer;
  readonly message: Message;
  readonly notes: readonly string[];
  readonly leftOut: boolean;
}

export function put(
  bytes: Buffer,
  warn: readonly Banner[],
  disclaimer: readonly Banner[] = [],
  more: Partial<Changes> = {},
): Result {
  const plan = planEdits(readMessage(bytes, LIMITS), { ...NOTHING, ...more, banners: { warn, disclaimer } });
  const after = applyEdits(bytes, plan.edits);
  return { after, message: readMessage(after, LIMITS), notes: plan.notes, leftOut: plan.bannersLeftOut === true };
}

export function textOf(message: Message, part: Part | undefined): string {
  if (part === undefined) throw new Error('there is no such part');
  return decodeCharset(bodyOf(message.bytes, part), part.params.get('charset') ?? '');
}
