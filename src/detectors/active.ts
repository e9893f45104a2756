import { BUILT_IN } from './built-in.js';
import { loadThirdParty } from './third-party.js';
import type { ActiveDetector, DetectorModule, DetectorSpec, Watcher } from './types.js';

function builtIn(name: string): DetectorModule | undefined {
  return BUILT_IN.find((module) => module.name === name);
}

/**
 * Makes the detectors of checked specs, in the thread that will run them.
 * @throws Error when a third party's module can no longer be loaded
 */
export async function createDetectors(specs: readonly DetectorSpec[]): Promise<readonly ActiveDetector[]> {
  return await Promise.all(specs.map(async (spec) => ({ spec, detector: await create(spec) })));
}

async function create(spec: DetectorSpec): Promise<ActiveDetector['detector']> {
  const module = spec.file === undefined ? builtIn(spec.name) : await loadThirdParty(spec.file);
  if (module === undefined) throw new Error(`there is no detector module ${spec.name}`);
  return await module.create(module.settings.parse(spec.settings), {
    baseDirectory: spec.baseDirectory,
    ...(spec.domains === undefined ? {} : { domains: spec.domains }),
    data: spec.data,
  });
}

/** What is done about a failure of each module when the deciding rule does not say. */
export function onErrorOf(specs: readonly DetectorSpec[]): ReadonlyMap<string, DetectorSpec['onError']> {
  return new Map(specs.map((spec) => [spec.name, spec.onError]));
}

/** Whether a module follows the files that its settings name by itself. */
export function followsItsFiles(name: string): boolean {
  return builtIn(name)?.watch !== undefined;
}

/**
 * Follows the files of built-in modules that can do so, until it is closed. For the main thread of a running gateway.
 * @param report takes what is to be said to the admin
 */
export function watchDetectors(
  specs: readonly DetectorSpec[],
  report: (module: string, level: 'info' | 'warn', text: string) => void,
): Watcher {
  const watchers: Watcher[] = [];
  for (const spec of specs) {
    const module = spec.file === undefined ? builtIn(spec.name) : undefined;
    const watcher = module?.watch?.(module.settings.parse(spec.settings), {
      baseDirectory: spec.baseDirectory,
      ...(spec.domains === undefined ? {} : { domains: spec.domains }),
      data: spec.data,
      report: (level, text) => report(spec.name, level, text),
    });
    if (watcher !== undefined) watchers.push(watcher);
  }
  return {
    close: async () => {
      await Promise.all(watchers.map(async (watcher) => await watcher.close()));
    },
  };
}

/** Ends connections and the like; a detector that fails to end does not keep the others from it. */
export async function closeDetectors(active: readonly ActiveDetector[]): Promise<void> {
  await Promise.allSettled(active.map(async ({ detector }) => await detector.close?.()));
}
