import { z } from 'zod';
import { DetectorError } from '../../failure.js';
import type { EngineSymbol, Verdict } from '../engine.js';

const MAX_SYMBOLS = 500;
const MAX_NOTE = 100;

const symbol = z.object({ score: z.number().optional(), options: z.array(z.unknown()).optional() });

/** The parts of an answer to /checkv2 that are read; rspamd sends more. */
const reply = z.object({
  score: z.number(),
  required_score: z.number().optional(),
  action: z.string().max(64).optional(),
  is_skipped: z.boolean().optional(),
  symbols: z.record(z.string(), symbol).optional(),
  subject: z.string().optional(),
  milter: z
    .object({
      add_headers: z.record(z.string(), z.unknown()).optional(),
      remove_headers: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});

/**
 * Reads rspamd's answer to /checkv2.
 * @throws DetectorError when it is no verdict
 */
export function parseReply(text: string): Verdict {
  const parsed = reply.safeParse(parseJson(text));
  if (!parsed.success) throw new DetectorError('rspamd answered something that is no verdict', { cause: parsed.error });
  const { score, required_score: required, action, symbols, subject, milter, is_skipped: skipped } = parsed.data;
  const notes: string[] = [];
  if (skipped === true && score === 0) notes.push('rspamd skipped this message');
  if (subject !== undefined) notes.push(`suggests the subject "${short(subject)}"`);
  const added = headerNotes(milter?.add_headers ?? {});
  if (added !== '') notes.push(`suggests the fields ${added}`);
  const removed = Object.keys(milter?.remove_headers ?? {}).slice(0, 10);
  if (removed.length > 0) notes.push(`suggests to remove ${short(removed.join(', '))}`);
  return {
    // An action can be forced without points: who rejects is as sure as with all the points for it.
    score: action === 'reject' && required !== undefined ? Math.max(score, required) : score,
    ...(required === undefined ? {} : { required }),
    ...(action === undefined ? {} : { action: short(action) }),
    symbols: Object.entries(symbols ?? {})
      .slice(0, MAX_SYMBOLS)
      .map(([name, entry]) => toSymbol(name, entry)),
    notes,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DetectorError('rspamd answered something that is no verdict', { cause: error });
  }
}

function toSymbol(name: string, { score, options }: z.output<typeof symbol>): EngineSymbol {
  const host = options?.map(hostIn).find((found) => found !== undefined);
  return {
    name: name.slice(0, 80),
    ...(score === undefined ? {} : { score }),
    ...(host === undefined ? {} : { host }),
  };
}

/** PHISHING says `shown->real`, with the host that the link leads to behind the arrow; others name it alone. */
function hostIn(option: unknown): string | undefined {
  if (typeof option !== 'string') return undefined;
  return /^(?:[\w.-]{1,253}->)?([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})(?::|$)/.exec(option.slice(0, 600))?.[1];
}

/** `Name: value` of what a milter would add. A value is a text, an object with one, or a list of such. */
function headerNotes(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .slice(0, 10)
    .map(([name, given]) => {
      const first: unknown = Array.isArray(given) ? given[0] : given;
      const value: unknown = typeof first === 'object' && first !== null && 'value' in first ? first.value : first;
      return `${short(name)}: ${typeof value === 'string' ? value.slice(0, 40).trim() : ''}`.trim();
    })
    .join(', ');
}

function short(text: string): string {
  return text.slice(0, MAX_NOTE);
}
