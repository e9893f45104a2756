import { closeDetectors, createDetectors, onErrorOf } from '../detectors/active.js';
import type { DetectorSpec } from '../detectors/types.js';
import type { ScanLimits } from '../message/types.js';
import { compileRules } from '../rules/compile.js';
import type { RuleBundle } from '../rules/model.js';
import { inspect, type InspectEngine } from './inspect.js';
import type { Inspection, InspectInput } from './types.js';

/** Everything that makes an inspector. Plain data, so that it can be handed to threads. */
export interface InspectorOptions {
  readonly bundle: RuleBundle;
  readonly specs: readonly DetectorSpec[];
  readonly limits: ScanLimits;
  /** ms for one message. */
  readonly deadline: number;
}

/** Inspects in the calling thread: the gateway's threads have one each, and so have `explain` and `test`. */
export interface Inspector {
  /** Nothing ends a message that hangs: that is the pool's part. */
  inspect(input: InspectInput, bytes: Buffer): Promise<Inspection>;
  close(): Promise<void>;
}

/** @throws Error when a detector cannot be made, such as a third party's that fails to load */
export async function createInspector(options: InspectorOptions): Promise<Inspector> {
  const { bundle, specs, limits, deadline } = options;
  const detectors = await createDetectors(specs);
  const engine: InspectEngine = {
    ruleSet: compileRules(bundle),
    detectors,
    limits,
    deadline,
    onError: onErrorOf(specs),
  };
  return {
    inspect: async (input, bytes) => await inspect(input, bytes, engine),
    close: async () => await closeDetectors(detectors),
  };
}
