import { closeDetectors, createDetectors, onErrorOf } from '../detectors/active.js';
import type { DetectorSpec } from '../detectors/types.js';
import type { ScanLimits } from '../message/types.js';
import { compileRules } from '../rules/compile.js';
import type { RuleBundle } from '../rules/model.js';
import { openBannerWriter } from './banners.js';
import { inspect, type InspectEngine } from './inspect.js';
import { UNWATCHED, type CpuMark } from './pulse.js';
import type { Inspection, InspectInput } from './types.js';

/** What a message is judged by, besides the detectors. */
export interface JudgedBy {
  readonly bundle: RuleBundle;
  readonly limits: ScanLimits;
  /** ms for one message. */
  readonly deadline: number;
  /** Another rule set, which is asked about each message as well: the message is scanned once and decided twice. */
  readonly against?: RuleBundle;
}

/** Everything that makes an inspector. Plain data, so that it can be handed to threads. */
export interface InspectorOptions extends JudgedBy {
  readonly specs: readonly DetectorSpec[];
}

/** How a single message is watched. */
export interface Watched {
  /** ms for this message, where that is not the deadline of all. */
  readonly deadline: number;
  /** Told when the message has the CPU. */
  readonly mark: CpuMark;
}

/** Inspects in the calling thread: the gateway's threads have one each, and so have `explain` and `test`. */
export interface Inspector {
  /** Nothing ends a message that hangs: that is the pool's part. */
  inspect(input: InspectInput, bytes: Buffer, given?: Watched): Promise<Inspection>;
  /** Another one with the same detectors: they are closed with this one. */
  judgingBy(other: JudgedBy): Promise<Inspector>;
  close(): Promise<void>;
}

/** @throws Error when a detector cannot be made, such as a third party's that fails to load */
export async function createInspector(options: InspectorOptions): Promise<Inspector> {
  const { specs } = options;
  const detectors = await createDetectors(specs);
  return await withDetectors(detectors, onErrorOf(specs), options, async () => await closeDetectors(detectors));
}

async function withDetectors(
  detectors: InspectEngine['detectors'],
  onError: InspectEngine['onError'],
  judgedBy: JudgedBy,
  close: () => Promise<void>,
): Promise<Inspector> {
  const { bundle, limits, deadline, against } = judgedBy;
  const banners = await openBannerWriter(bundle.banners);
  const againstBanners = await openBannerWriter(against?.banners);
  const engine: InspectEngine = {
    ruleSet: compileRules(bundle),
    detectors,
    limits,
    deadline,
    mark: UNWATCHED,
    onError,
    ...(banners === undefined ? {} : { banners }),
    ...(againstBanners === undefined ? {} : { againstBanners }),
    ...(against === undefined ? {} : { against: compileRules(against) }),
  };
  return {
    inspect: async (input, bytes, given) =>
      await inspect(input, bytes, given === undefined ? engine : { ...engine, ...given }),
    judgingBy: async (other) => await withDetectors(detectors, onError, other, () => Promise.resolve()),
    close,
  };
}
