import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { domainToASCII, fileURLToPath } from 'node:url';
import { checkDirectory } from './check-directory.js';
import { checkFolders } from './check-folders.js';
import { checkWebhooks } from './check-webhooks.js';
import { codeOf, fileReason } from './file-error.js';
import { parseNetwork } from './networks.js';
import { ConfigError, type Problem } from './problems.js';
import { configSchema, resolveFrom, type RawConfig } from './schema.js';
import { whatIsLeft } from './what-is-left.js';
import { YamlSource, type KeyPath } from './yaml-source.js';

/** Folder of the installed program: rules/ and templates/ lie in it. */
export const PROGRAM_FOLDER = fileURLToPath(new URL('../../', import.meta.url));

export interface ModuleSettings {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** gatepost.yaml with every default filled in; paths are absolute. */
export interface Config extends Omit<
  RawConfig,
  'detectors' | 'rules' | 'templates' | 'node' | 'smtp' | 'notifications'
> {
  /** The file that was read; absent when there is none and all is default. */
  readonly file?: string;
  /** Folder that relative paths count from. */
  readonly folder: string;
  readonly node: {
    readonly name: string;
    readonly address: string;
    readonly comment: string;
    readonly timezone: string;
  };
  readonly smtp: RawConfig['smtp'] & { readonly hostname: string };
  readonly notifications: RawConfig['notifications'] & {
    readonly from: string;
    readonly admins: readonly string[];
    readonly notices: RawConfig['notifications']['notices'] & { readonly to: readonly string[] };
    readonly events: Omit<RawConfig['notifications']['events'], 'recipients'> & {
      readonly recipients: readonly { readonly to: readonly string[]; readonly language: string }[];
    };
  };
  /** In the order of the file; the default set when `detectors:` is absent. */
  readonly detectors: readonly ModuleSettings[];
  readonly rules: string;
  /** Own templates; absent when there are none beside the shipped ones. */
  readonly templates?: string;
  /** Where `detectors` stand, for the modules' own schemas. */
  readonly source: YamlSource;
}

/** Modules that run when `detectors:` is absent. */
export const DEFAULT_DETECTORS = ['content', 'signatures', 'links', 'antispam'] as const;

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly Problem[];
}

/**
 * Finds, reads and checks the configuration.
 * @param file path given with --config; without it gatepost.yaml in `cwd`, or all defaults when there is none
 * @throws ConfigError with every problem and its place
 */
export async function loadConfig(file?: string, cwd: string = process.cwd()): Promise<LoadedConfig> {
  return withoutErrors(await readConfig(file, cwd));
}

/** What a configuration says, and all that is wrong with it. */
export interface ReadConfig {
  /**
   * Absent where too little is known to go on. With an error among the problems it is what is left without the values
   * that are wrong: enough to check what the file names, and never to be put in force.
   */
  readonly config?: Config;
  readonly problems: readonly Problem[];
  /** There is no such file, or it cannot be read. */
  readonly unread?: true;
}

/** Like loadConfig, but tells the problems instead of throwing them. */
export async function readConfig(file?: string, cwd: string = process.cwd()): Promise<ReadConfig> {
  const wanted = path.resolve(cwd, file ?? 'gatepost.yaml');
  let text = '';
  let found = true;
  try {
    text = await readFile(wanted, 'utf8');
  } catch (error) {
    if (file !== undefined || codeOf(error) !== 'ENOENT')
      return { problems: [unreadable(file ?? wanted, error)], unread: true };
    found = false;
  }
  return readConfigText(text, path.dirname(wanted), found ? wanted : undefined);
}

/** Like loadConfig, from a text. @throws ConfigError */
export async function parseConfig(text: string, folder: string, file?: string): Promise<LoadedConfig> {
  return withoutErrors(await readConfigText(text, folder, file));
}

function unreadable(file: string, error: unknown): Problem {
  const inside = path.join(file, 'gatepost.yaml');
  const hint = existsSync(inside)
    ? `did you mean ${inside}?`
    : 'name another one with --config FILE or in the environment variable GATEPOST_CONFIG';
  return { severity: 'error', message: `cannot read the configuration ${file}: ${fileReason(error)}`, hint };
}

function withoutErrors({ config, problems, unread }: ReadConfig): LoadedConfig {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (config === undefined || errors.length > 0) throw new ConfigError(errors, unread);
  return { config, warnings: problems };
}

async function readConfigText(text: string, folder: string, file: string | undefined): Promise<ReadConfig> {
  const source = new YamlSource(path.basename(file ?? 'gatepost.yaml'), text);
  if (source.problems.length > 0) return { problems: source.problems };
  const problems: Problem[] = [];
  const given = substitute(source.value ?? {}, [], source, problems);
  const parsed = configSchema.safeParse(given);
  if (!parsed.success) problems.push(...source.fromZod(parsed.error, configSchema));
  const raw = parsed.success ? parsed.data : whatIsLeft(given, parsed.error);
  if (raw === undefined) return { problems };
  problems.push(...checkNetworks(raw, source), ...(await checkFolders(raw, folder, source)));
  problems.push(...checkDomains(raw, source));
  problems.push(...checkDirectory(raw.directory, folder, source));
  problems.push(...checkWebhooks(raw.notifications.webhooks, folder, source));
  return { config: complete(raw, folder, source, file), problems };
}

function complete(raw: RawConfig, folder: string, source: YamlSource, file: string | undefined): Config {
  const { detectors, rules, templates, ...rest } = raw;
  const site = raw.domains[0] ?? 'localhost';
  const admins = raw.notifications.admins ?? [`postmaster@${site}`];
  const own = resolveFrom(folder, templates ?? './templates');
  return {
    ...rest,
    ...(file === undefined ? {} : { file }),
    folder,
    data: resolveFrom(folder, raw.data),
    node: {
      name:
        raw.node.name ??
        (os
          .hostname()
          .replace(/[^A-Za-z0-9._-]/g, '-')
          .slice(0, 63) ||
          'gatepost'),
      address: raw.node.address ?? raw.smtp.listen[0]?.host ?? '127.0.0.1',
      comment: raw.node.comment,
      timezone: raw.node.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    smtp: {
      ...raw.smtp,
      hostname: raw.smtp.hostname ?? `mx.${domainToASCII(site) || site}`,
      ...(raw.smtp.tls === undefined
        ? {}
        : { tls: { cert: resolveFrom(folder, raw.smtp.tls.cert), key: resolveFrom(folder, raw.smtp.tls.key) } }),
      ...(raw.smtp.auth === undefined ? {} : { auth: { users: resolveFrom(folder, raw.smtp.auth.users) } }),
    },
    ...(raw.directory?.ca === undefined
      ? {}
      : { directory: { ...raw.directory, ca: resolveFrom(folder, raw.directory.ca) } }),
    notifications: {
      ...raw.notifications,
      from: raw.notifications.from ?? `Gatepost <gatepost@${site}>`,
      admins,
      notices: { ...raw.notifications.notices, to: raw.notifications.notices.to ?? admins },
      events: {
        ...raw.notifications.events,
        recipients: (raw.notifications.events.recipients ?? [{ to: admins }]).map(({ to, language }) => ({
          to,
          language: language ?? raw.notifications.language,
        })),
      },
    },
    detectors:
      detectors === undefined
        ? DEFAULT_DETECTORS.map((name) => ({ name, settings: {} }))
        : Object.entries(detectors).map(([name, settings]) => ({ name, settings })),
    rules:
      rules === undefined && !existsSync(resolveFrom(folder, './rules'))
        ? path.join(PROGRAM_FOLDER, 'rules')
        : resolveFrom(folder, rules ?? './rules'),
    ...(templates !== undefined || (existsSync(own) && path.resolve(folder) !== path.resolve(PROGRAM_FOLDER))
      ? { templates: own }
      : {}),
    source,
  };
}

/** Replaces `${NAME}` in every text by the environment's value. */
function substitute(value: unknown, at: KeyPath, source: YamlSource, problems: Problem[]): unknown {
  if (typeof value === 'string') {
    return value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
      const found = process.env[name];
      if (found === undefined)
        problems.push(
          source.error(
            at,
            `the environment variable ${name} is not set`,
            `set it, or write the value instead of ${whole}`,
          ),
        );
      return found ?? whole;
    });
  }
  if (Array.isArray(value)) return value.map((item, i) => substitute(item, [...at, i], source, problems));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, substitute(item, [...at, key], source, problems)]),
    );
  }
  return value;
}

function checkNetworks(raw: RawConfig, source: YamlSource): Problem[] {
  const lists: [KeyPath, readonly string[]][] = [
    [['trusted'], raw.trusted],
    [['smtp', 'proxyProtocol'], raw.smtp.proxyProtocol],
    [['smtp', 'xclient'], raw.smtp.xclient],
  ];
  return lists.flatMap(([at, entries]) =>
    entries.flatMap((entry, i) => {
      const parsed = parseNetwork(entry);
      return 'error' in parsed ? [source.error([...at, i], parsed.error, parsed.hint)] : [];
    }),
  );
}

function checkDomains({ domains }: RawConfig, source: YamlSource): Problem[] {
  if (domains.length > 0) return [];
  const hint = 'name the domains of your mail server';
  return [source.error(['domains'], '`domains` is empty: no mail would be accepted', hint)];
}
