import type { MethodResult } from '../detectors/types.js';
import type { Inspection } from './types.js';
import { foldWords } from './fold.js';

/**
 * The Authentication-Results field (RFC 8601 2.2), CRLF at its end; empty where nothing was checked.
 * @param authservId our own; what came in with it was removed at intake
 */
export function authenticationResults(inspection: Inspection, authservId: string): string {
  const results = inspection.findings
    .filter((finding) => finding.module === 'authentication')
    .flatMap((finding) => finding.results ?? []);
  if (results.length === 0) return '';
  const infos = results.map(wordsOf);
  const words = [`${printable(authservId)};`];
  for (const [i, info] of infos.entries()) {
    const last = info.at(-1) ?? '';
    words.push(...info.slice(0, -1), i < infos.length - 1 ? `${last};` : last);
  }
  return foldWords('Authentication-Results:', words);
}

function wordsOf({ method, result, properties }: MethodResult): string[] {
  const written = Object.entries(properties).filter(([, value]) => value !== '');
  return [`${method}=${result}`, ...written.map(([name, value]) => `${name}=${quoted(value)}`)];
}

/** A value as it stands when it is a token or an address of such, else in quotes; printable ASCII in any case. */
function quoted(value: string): string {
  const safe = printable(value);
  if (/^[A-Za-z0-9!#$%&'*+^_`{|}~.-]*@?[A-Za-z0-9._-]+$/.test(safe)) return safe;
  return `"${safe.replace(/["\\]/g, '\\$&')}"`;
}

function printable(text: string): string {
  return text.slice(0, 512).replace(/[^\x20-\x7e]/g, '?');
}
