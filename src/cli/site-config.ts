import { loadConfig, type LoadedConfig } from '../config/load.js';
import { err } from './terminal.js';

/**
 * The configuration whose data a command shows or changes. Where no file was found the defaults hold, and standard error
 * says so: a wrong folder is not to be taken for one in which nothing waits.
 * @param file path given with --config
 * @throws ConfigError
 */
export async function loadSite(file: string | undefined): Promise<LoadedConfig> {
  const loaded = await loadConfig(file);
  const { config } = loaded;
  if (config.file === undefined)
    err(
      `note: there is no gatepost.yaml in ${config.folder}: all is default, and the data folder is ${config.data}.\n` +
        '  --config FILE or the environment variable GATEPOST_CONFIG names another configuration.',
    );
  return loaded;
}
