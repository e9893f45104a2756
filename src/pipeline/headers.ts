import { authenticationResults } from './authentication-results.js';
import { foldWords } from './fold.js';
import { statusForCopy } from './spam-class.js';
import type { Copy, Inspection } from './types.js';

/**
 * The header fields that Gatepost puts on top of a delivered copy: who let it through, and what each module said.
 * Each field ends in CRLF; every value is printable ASCII, whatever went into it.
 * @param authservId our name in Authentication-Results (RFC 8601 2.5)
 * @param passes how often it went through a gateway of ours before: the count is what a loop is known by
 */
export function gatepostFields(inspection: Inspection, copy: Copy, authservId: string, passes = 0): string {
  const { decision } = copy;
  const status =
    decision.process === 'scan' && inspection.modules.length > 0
      ? inspection.modules.map((run) => `${token(run.module)}=${token(statusForCopy(run, decision.spam))}`)
      : ['not-scanned'];
  return [
    decision.process === 'scan' ? authenticationResults(inspection, authservId) : '',
    `X-Gatepost-ID: ${token(inspection.traceId)}\r\n`,
    passes === 0 ? '' : `X-Gatepost-Passes: ${passes + 1}\r\n`,
    `X-Gatepost-Rule: ${token(decision.rule)}\r\n`,
    `X-Gatepost-Action: ${token(decision.action)}\r\n`,
    foldWords(
      'X-Gatepost-Status:',
      status.map((one, i) => (i < status.length - 1 ? `${one};` : one)),
    ),
  ].join('');
}

/** A value of letters, digits and a few marks; anything else becomes a question mark. */
function token(text: string): string {
  return text.slice(0, 128).replace(/[^A-Za-z0-9._-]/g, '?');
}
