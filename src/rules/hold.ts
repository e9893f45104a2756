import type { Finding } from '../detectors/types.js';
import type { CompiledRule } from './compile.js';
import { replyTo } from './replies.js';
import type { Action, SmtpReply } from './types.js';

/** The findings of modules that the rule wants, and among them those that wait for something that comes later. */
export function splitHeld(
  rule: CompiledRule,
  findings: readonly Finding[],
): { readonly known: readonly Finding[]; readonly held: readonly Finding[] } {
  const held = findings.filter((finding) => finding.hold === true && rule.wants(finding.module));
  return { known: held.length === 0 ? findings : findings.filter((finding) => !held.includes(finding)), held };
}

/**
 * Whether the message waits: nothing is done about it, and nobody told, until what is missing is there. What refuses or
 * discards the message whatever comes, does so at once; so does what leaves it with the client.
 */
export function mustWait(action: Action, held: readonly Finding[]): boolean {
  return held.length > 0 && (action === 'deliver' || action === 'delete-attachment');
}

export function waitNotes(held: readonly Finding[]): string[] {
  const what = [...new Set(held.map(({ module, status }) => `${module}.${status}`))].join(', ');
  return [`${what}: the message waits in the spool and is inspected again`];
}

export function waitReply(): SmtpReply {
  return replyTo('scan-error', 'defer');
}
