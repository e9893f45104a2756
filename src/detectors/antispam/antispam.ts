import { DetectorError } from '../failure.js';
import type { Detector, DetectorInput, DetectorModule, DetectorSpec, Finding } from '../types.js';
import { bulkMarks } from './bulk.js';
import { EmbeddedScorer } from './embedded/embedded.js';
import { TooLarge, type Engine } from './engine.js';
import { Rspamd } from './rspamd/rspamd.js';
import { settings, sizeLimit, thresholdsOf, type Settings, type Thresholds } from './settings.js';
import { Spamd } from './spamd/spamd.js';
import { toFindings } from './verdict.js';

/**
 * Gives messages a spam score, by rspamd, by SpamAssassin, or by the embedded scorer when neither is configured. Which
 * class a score belongs to is said by the thresholds of the deciding rule.
 */
export const antispam: DetectorModule<Settings> = {
  name: 'antispam',
  settings,
  statuses: ['score', 'spam', 'probable-spam', 'bulk', 'phishing'],
  // The embedded scorer computes; the engines are waited for.
  waits: ({ rspamd: url, spamd: endpoint }) => url !== undefined || endpoint !== undefined,
  create: (given: Settings): Detector => new AntispamDetector(engineOf(given)),
};

/** The thresholds of the configuration; undefined when the module is not configured. */
export function antispamThresholds(specs: readonly DetectorSpec[]): Thresholds | undefined {
  const spec = specs.find(({ name, file }) => name === antispam.name && file === undefined);
  return spec === undefined ? undefined : thresholdsOf(settings.parse(spec.settings));
}

function engineOf(given: Settings): Engine {
  const { rspamd: url, password, spamd: endpoint, user } = given;
  const maxSize = sizeLimit(given);
  if (url !== undefined) return new Rspamd({ url, password, maxSize });
  if (endpoint !== undefined) return new Spamd({ endpoint, user, maxSize });
  return new EmbeddedScorer();
}

class AntispamDetector implements Detector {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async inspect(input: DetectorInput): Promise<readonly Finding[]> {
    try {
      const verdict = await this.#engine.judge(input);
      return toFindings(this.#engine.name, verdict, bulkMarks(input.message).length > 0);
    } catch (error) {
      if (error instanceof TooLarge) return [{ module: 'antispam', status: 'limit', detail: error.message }];
      if (error instanceof DetectorError) throw error;
      throw new DetectorError('the spam score could not be had', { cause: error });
    }
  }

  async health(signal: AbortSignal): Promise<void> {
    await this.#engine.health?.(signal);
  }

  async close(): Promise<void> {
    await this.#engine.close?.();
  }
}
