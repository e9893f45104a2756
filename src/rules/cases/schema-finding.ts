import { z } from 'zod';
import { nearest } from '../../config/suggest.js';
import type { Finding } from '../../detectors/types.js';
import { AUTHENTICATION_KEYS, ERROR_STATUSES, KNOWN_MODULES, RESULTS, SCORE_STATUS } from '../findings.js';
import { compact } from '../schema-response.js';
import { bytes, complain, text } from '../schema-values.js';

/** Configured modules and the statuses that each can report. */
export type KnownModules = ReadonlyMap<string, readonly string[]>;

const POLICIES = ['none', 'quarantine', 'reject'] as const;

/** Schema of a finding that a test case gives instead of a module. */
export function findingSchema(modules: KnownModules): z.ZodType<Finding> {
  return z
    .strictObject({
      module: z.string().describe('the module that reports it, such as antivirus'),
      status: z.string().optional().describe('clean, infected, ...; of authentication: spf, dkim, dmarc'),
      name: text.optional().describe('name of the threat, anomaly, URL; of authentication: the result'),
      object: z.string().optional().describe('path of the attachment, such as invoice.zip/setup.exe'),
      size: bytes.optional(),
      score: z.number().optional().describe('spam score; a status that is given wins over it'),
      detail: z.string().optional(),
      policy: z.enum(POLICIES).optional().describe('DMARC policy of the domain'),
    })
    .check((check) => {
      const { module, status, score, policy } = check.value;
      const known = [...new Set([...KNOWN_MODULES.keys(), ...modules.keys()])];
      if (!known.includes(module)) {
        const meant = nearest(module, known);
        const hint = meant === undefined ? `modules: ${known.join(', ')}` : `did you mean \`${meant}\`?`;
        complain(check, module, `there is no module "${module.slice(0, 80)}"`, hint, ['module']);
        return;
      }
      if (status === undefined) {
        if (module !== 'antispam' || score === undefined) {
          const example = KNOWN_MODULES.get(module)?.[0] ?? 'clean';
          complain(check, check.value, '`status` is missing', `such as \`status: ${example}\`, or \`status: clean\``);
        }
        return;
      }
      checkStatus(check, module, status, modules);
      if (module === 'authentication') checkResult(check, check.value);
      else if (policy !== undefined)
        complain(check, policy, '`policy` is that of a DMARC result alone', undefined, ['policy']);
    })
    .transform(({ status, ...rest }) => compact({ ...rest, status: status ?? SCORE_STATUS }));
}

function checkStatus(check: z.core.ParsePayload, module: string, status: string, modules: KnownModules): void {
  if (module === 'external') return;
  const own = [...(KNOWN_MODULES.get(module) ?? []), ...(modules.get(module) ?? [])];
  const statuses = [...new Set([...own, 'clean', ...ERROR_STATUSES])];
  if (statuses.includes(status) || (module === 'antispam' && status === SCORE_STATUS)) return;
  const meant = nearest(status, statuses);
  const result = module === 'authentication' && (RESULTS as readonly string[]).includes(status);
  const hint = result
    ? `a result is the name: { module: authentication, status: spf, name: ${status} }`
    : meant === undefined
      ? `it reports ${statuses.join(', ')}`
      : `did you mean \`${meant}\`?`;
  complain(check, status, `the module ${module} never reports "${status.slice(0, 80)}"`, hint, ['status']);
}

function checkResult(
  check: z.core.ParsePayload,
  { status, name, policy }: { status?: string | undefined; name?: string | undefined; policy?: string | undefined },
): void {
  if (policy !== undefined && status !== 'dmarc')
    complain(check, policy, '`policy` is that of a DMARC result alone', undefined, ['policy']);
  if (status === undefined || !(AUTHENTICATION_KEYS as readonly string[]).includes(status)) return;
  if (name === undefined) {
    complain(check, status, `the result is missing: \`name\` is one of ${RESULTS.join(', ')}`);
    return;
  }
  if ((RESULTS as readonly string[]).includes(name)) return;
  const meant = nearest(name, RESULTS);
  const hint = meant === undefined ? `results: ${RESULTS.join(', ')}` : `did you mean \`${meant}\`?`;
  complain(check, name, `"${name.slice(0, 80)}" is no result of ${status}`, hint, ['name']);
}
