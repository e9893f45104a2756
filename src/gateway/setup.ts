import path from 'node:path';
import { loadConfig, PROGRAM_FOLDER, type Config, type LoadedConfig } from '../config/load.js';
import { ConfigError, sortProblems, type Problem } from '../config/problems.js';
import { antispamThresholds } from '../detectors/antispam/antispam.js';
import { configureDetectors } from '../detectors/registry.js';
import type { DetectorSpec } from '../detectors/types.js';
import { readCopies, snapshotOf } from '../directory/service.js';
import { oweSettings } from '../notifications/settings.js';
import { bannerNames, bannerSource, mailNames } from '../notifications/templates/banner-source.js';
import { isSevere } from '../notifications/severity.js';
import { loadTemplates, type Templates } from '../notifications/templates/load.js';
import { loadRules } from '../rules/load.js';
import type { RuleBundle } from '../rules/model.js';
import { checkHops, whyNoHop } from './check-hops.js';
import { checkTls } from './check-tls.js';
import { copyProblems } from './directory.js';
import { unknownLanguages } from './unknown-languages.js';
import { unusedTemplates } from './unused-templates.js';

/** What a configuration is read for: a process that runs on it, or commands that try mail on its rules. */
export type Purpose = 'gateway' | 'worker' | 'trial';

/** A configuration with all that it names, read and checked. */
export interface Setup {
  readonly config: Config;
  readonly bundle: RuleBundle;
  readonly specs: readonly DetectorSpec[];
  readonly templates: Templates;
  readonly warnings: readonly Problem[];
}

/**
 * Reads and checks everything that an admin edits: gatepost.yaml, the modules' settings and files, rules, lists and
 * templates.
 * @param file path given with --config
 * @throws ConfigError with every error (and warning) of all of them at once
 */
export async function loadSetup(purpose: Purpose, file?: string, cwd?: string): Promise<Setup> {
  return await finishSetup(purpose, await loadConfig(file, cwd));
}

/** What a configuration names, as far as it can be read, and all that is wrong with it. */
export interface ReadSetup extends Omit<Setup, 'config' | 'bundle' | 'warnings'> {
  /** Absent when there is an error in the rules. */
  readonly bundle?: RuleBundle;
  readonly problems: readonly Problem[];
}

/** Reads and checks what a configuration names. @throws ConfigError as loadSetup does */
export async function finishSetup(purpose: Purpose, { config, warnings }: LoadedConfig): Promise<Setup> {
  const { bundle, specs, templates, problems: found } = await readSetup(purpose, config);
  const problems = sortProblems([...warnings, ...found]);
  if (bundle === undefined || problems.some((p) => p.severity === 'error')) throw new ConfigError(problems);
  return { config, bundle, specs, templates, warnings: problems };
}

/** Like finishSetup, but tells the problems instead of throwing them. */
export async function readSetup(purpose: Purpose, config: Config): Promise<ReadSetup> {
  const [detectors, templates] = await Promise.all([
    configureDetectors(config.detectors, config.folder, config.source, config.scan.deadline, config.domains),
    loadTemplates(templateFolders(config), config.notifications.language, config.folder),
  ]);
  const thresholds = antispamThresholds(detectors.specs);
  const groups = config.directory === undefined ? [] : await readCopies(config.data, config.directory);
  const rules = await loadRules(config.rules, {
    displayRoot: config.folder,
    domains: config.domains,
    timezone: config.node.timezone,
    modules: new Map(detectors.specs.map((spec) => [spec.name, spec.statuses])),
    templates: mailNames(templates.templates),
    banners: {
      names: bannerNames(templates.templates),
      source: (names) =>
        bannerSource(names, templates.templates, {
          node: oweSettings(config).node,
          mydomain: config.domains[0] ?? '',
        }),
    },
    whyNoRoute: (url) => whyNoHop(url, config.folder, purpose),
    generalConfigured: config.notifications.general.length > 0,
    tellsInformative: isSevere('informative', config.notifications.minSeverity),
    directory: snapshotOf(groups),
    ...(thresholds === undefined ? {} : { thresholds }),
  });
  return {
    ...(rules.bundle === undefined ? {} : { bundle: rules.bundle }),
    specs: detectors.specs,
    templates: templates.templates,
    problems: [
      ...detectors.problems,
      ...rules.problems,
      ...templates.problems,
      ...unknownLanguages(config, templates.languages),
      ...checkHops(config, purpose),
      ...checkTls(config, purpose),
      ...copyProblems(groups, config, rules.bundle),
      ...(await unusedTemplates(config, templates.templates, rules.bundle)),
    ],
  };
}

/** Own templates win over shipped ones of the same name. */
export function templateFolders(config: Config): string[] {
  const shipped = path.join(PROGRAM_FOLDER, 'templates');
  return config.templates === undefined ? [shipped] : [config.templates, shipped];
}
