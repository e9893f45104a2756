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
 * Follows the files of modules that can do so, until it is closed. For the main thread of a running gateway. A third
 * party's module that fails to begin with it is reported, and goes on without.
 * @param report takes what is to be said to the admin
 * @param fileState told how taking over a file's changes went: `reason` says why it could not be done
 */
export function watchDetectors(
  specs: readonly DetectorSpec[],
  report: (module: string, level: 'info' | 'warn', text: string) => void,
  fileState?: (module: string, file: string, reason: string | undefined) => void,
): Watcher {
  const watchers: Promise<Watcher | undefined>[] = [];
  for (const spec of specs) {
    const start = (module: DetectorModule | undefined): Watcher | undefined =>
      module?.watch?.(module.settings.parse(spec.settings), {
        baseDirectory: spec.baseDirectory,
        ...(spec.domains === undefined ? {} : { domains: spec.domains }),
        data: spec.data,
        report: (level, text) => report(spec.name, level, text),
        fileState: (file, reason) => fileState?.(spec.name, file, reason),
      });
    if (spec.file === undefined) {
      watchers.push(Promise.resolve(start(builtIn(spec.name))));
      continue;
    }
    watchers.push(
      loadThirdParty(spec.file)
        .then(start)
        .catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          report(spec.name, 'warn', `its files are not followed: ${reason}`);
          return undefined;
        }),
    );
  }
  return {
    close: async () => {
      await Promise.all(watchers.map(async (watcher) => await (await watcher)?.close()));
    },
  };
}

/** Ends connections and the like; a detector that fails to end does not keep the others from it. */
export async function closeDetectors(active: readonly ActiveDetector[]): Promise<void> {
  await Promise.allSettled(active.map(async ({ detector }) => await detector.close?.()));
}
