import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../config/load.js';
import { followsItsFiles } from '../../detectors/active.js';

/** Where everything lies that an admin edits: absolute paths. */
export interface Places {
  /** gatepost.yaml, whether it is there or not. */
  readonly config: string;
  readonly rules: string;
  /** Own templates; the folder may be missing. */
  readonly templates: string;
  /** Further files that the configuration names: detectors' modules and data, certificate, key. */
  readonly files: readonly string[];
  /** Files that a detector follows by itself: they are looked at only after a load that failed. */
  readonly followed: readonly string[];
}

/** Texts of one detector's settings that are looked at: nobody names more files. */
const MAX_TEXTS = 10_000;

/**
 * What belongs to a configuration.
 * @param wanted path of gatepost.yaml
 */
export function placesOf(config: Config, wanted: string): Places {
  const files: string[] = [];
  const followed: string[] = [];
  for (const { name, settings } of config.detectors) {
    const own = typeof settings['module'] !== 'string';
    (own && followsItsFiles(name) ? followed : files).push(...filesIn(settings, config.folder));
  }
  const { tls } = config.smtp;
  if (tls !== undefined) files.push(tls.cert, tls.key);
  return {
    config: wanted,
    rules: config.rules,
    templates: config.templates ?? path.join(config.folder, 'templates'),
    files,
    followed,
  };
}

/** The texts of a module's settings that are the path of a file, and that of its own code. */
function filesIn(settings: Readonly<Record<string, unknown>>, folder: string): string[] {
  const found: string[] = [];
  const waiting: unknown[] = [settings];
  for (let seen = 0; seen < MAX_TEXTS && waiting.length > 0; seen++) {
    const value = waiting.pop();
    if (typeof value === 'object' && value !== null) waiting.push(...valuesOf(value));
    else if (typeof value === 'string' && value.length > 0 && value.length < 4096 && !value.includes('\0')) {
      const file = path.resolve(folder, value);
      if (isFile(file) || value === settings['module']) found.push(file);
    }
  }
  return found;
}

function valuesOf(value: object): readonly unknown[] {
  return Object.values(value);
}

function isFile(file: string): boolean {
  return existsSync(file) && statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
