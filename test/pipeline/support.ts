import { makeMail } from '../support/mail.js';
import { loadFiles } from '../rules/load.js';
import type { ModuleSettings } from '../../src/config/load.js';
import { formatProblem } from '../../src/config/problems.js';
import { YamlSource } from '../../src/config/yaml-source.js';
import { configureDetectors } from '../../src/detectors/registry.js';
import { newTraceId } from '../../src/message/trace-id.js';
import type { ScanLimits } from '../../src/message/types.js';
import type { InspectorOptions } from '../../src/pipeline/inspector.js';
import type { InspectInput } from '../../src/pipeline/types.js';
import type { RuleBundle } from '../../src/rules/model.js';

export const LIMITS: ScanLimits = { maxDepth: 16, maxParts: 1000, maxArchiveEntries: 100, maxUnpacked: 2 ** 24 };

export const CLEAN = makeMail('Good morning');

/** The bundle of one rule file; without one the shipped default rule. */
export async function bundleOf(rules?: string): Promise<RuleBundle> {
  const { bundle, problems } = await loadFiles(rules === undefined ? {} : { '10-test.yaml': rules });
  if (bundle === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return bundle;
}

export interface Setup {
  readonly rules?: string;
  readonly detectors?: readonly ModuleSettings[];
  readonly folder?: string;
  readonly limits?: Partial<ScanLimits>;
  readonly deadline?: number;
}

/** What an inspector is made of; modules are content and signatures unless others are named. */
export async function optionsOf(setup: Setup = {}): Promise<InspectorOptions> {
  const { rules, folder = '.', deadline = 60_000 } = setup;
  const modules = setup.detectors ?? [
    { name: 'content', settings: {} },
    { name: 'signatures', settings: {} },
  ];
  const { specs, problems } = await configureDetectors(modules, folder, new YamlSource('gatepost.yaml', ''), deadline);
  if (problems.length > 0) throw new Error(problems.map(formatProblem).join('\n'));
  return { bundle: await bundleOf(rules), specs, limits: { ...LIMITS, ...setup.limits }, deadline };
}

export function inputFor(recipients: readonly string[], given: Partial<InspectInput> = {}): InspectInput {
  return {
    traceId: newTraceId(),
    envelope: {
      sender: 'a@partner.example',
      recipients: recipients.map((address) => ({ address })),
      client: '192.0.2.1',
      helo: 'client.example',
      tls: false,
      trusted: false,
      smtpUtf8: false,
      eightBit: false,
    },
    intake: { anomalies: [], received: 0 },
    receivedAt: Date.UTC(2026, 10, 21, 12),
    ...given,
  };
}
