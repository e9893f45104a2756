import { statusForCopy } from './spam-class.js';
import type { Copy, Inspection } from './types.js';

/** Length that a line should not pass (RFC 5322 2.1.1). */
const LINE = 78;

/**
 * The header fields that Gatepost puts on top of a delivered copy: who let it through, and what each module said.
 * Each field ends in CRLF; every value is printable ASCII, whatever went into it.
 */
export function gatepostFields(inspection: Inspection, copy: Copy): string {
  const { decision } = copy;
  const status =
    decision.process === 'scan' && inspection.modules.length > 0
      ? inspection.modules.map((run) => `${token(run.module)}=${token(statusForCopy(run, decision.spam))}`)
      : ['not-scanned'];
  return [
    `X-Gatepost-ID: ${token(inspection.traceId)}\r\n`,
    `X-Gatepost-Rule: ${token(decision.rule)}\r\n`,
    `X-Gatepost-Action: ${token(decision.action)}\r\n`,
    fold('X-Gatepost-Status:', status),
  ].join('');
}

/** A value of letters, digits and a few marks; anything else becomes a question mark. */
function token(text: string): string {
  return text.slice(0, 128).replace(/[^A-Za-z0-9._-]/g, '?');
}

/** `name item; item`, broken before an item that would make the line too long (RFC 5322 2.2.3). */
function fold(name: string, items: readonly string[]): string {
  let text = name;
  let line = name.length;
  for (const [i, item] of items.entries()) {
    const piece = i < items.length - 1 ? `${item};` : item;
    if (i > 0 && line + 1 + piece.length > LINE) {
      text += `\r\n ${piece}`;
      line = 1 + piece.length;
    } else {
      text += ` ${piece}`;
      line += 1 + piece.length;
    }
  }
  return `${text}\r\n`;
}
