import type { Message } from '../../message/types.js';
import type { DatabaseInfo, Detector, DetectorInput, DetectorModule, Finding } from '../types.js';
import { ClamdEngine } from './engine.js';
import { locate, messageFinding, scanObjects } from './locate.js';
import { settings, type AntivirusSettings } from './settings.js';
import { isHit, Scanner, type Verdict } from './verdict.js';

/** ms for naming the attachment of a hit, at most; half of what is left of the module's time where that is less. */
const LOCATE = 10_000;

/**
 * Asks clamd (TCP or unix socket, INSTREAM) about the message as it was received: clamd parses mail and opens archives
 * itself. Attachments are sent one by one only to name the infected one, or where the structure can be read in more
 * than one way.
 */
export const antivirus: DetectorModule<AntivirusSettings> = {
  name: 'antivirus',
  settings,
  statuses: ['infected', 'encrypted', 'macro'],
  waits: () => true,
  create: (given): Detector => new Antivirus(given),
};

class Antivirus implements Detector {
  private readonly engine: ClamdEngine;
  private readonly scanner: Scanner;
  private readonly given: AntivirusSettings;

  constructor(given: AntivirusSettings) {
    this.given = given;
    this.engine = new ClamdEngine(given.clamd, given.connections);
    this.scanner = new Scanner(this.engine, given.maxSize);
  }

  async inspect({ message, signal, until }: DetectorInput): Promise<readonly Finding[]> {
    const whole = await this.scanner.scan([message.bytes], signal);
    if (isHit(whole)) return await this.locateInTime(message, whole, signal, until);
    // Too large as a whole: its attachments, decoded and one by one, may be not.
    const objects =
      whole.status === 'limit' || this.wantsObjects(message) ? await scanObjects(message, this.scanner, signal) : [];
    return whole.status === 'limit' ? [messageFinding(whole), ...objects] : objects;
  }

  async health(signal: AbortSignal): Promise<void> {
    await this.engine.ping(signal);
  }

  async databases(signal: AbortSignal): Promise<DatabaseInfo | undefined> {
    const info = await this.engine.version(signal);
    return info === undefined ? undefined : { ...info, maxAge: this.given.maxDatabaseAge };
  }

  close(): Promise<void> {
    this.engine.close();
    return Promise.resolve();
  }

  private wantsObjects(message: Message): boolean {
    const { objects } = this.given;
    return objects === 'always' || (objects === 'anomalous' && message.structure.anomalies.length > 0);
  }

  /** The hit stands whatever happens while its place is looked for: late or failing, it is the message's. */
  private async locateInTime(
    message: Message,
    whole: Verdict,
    signal: AbortSignal,
    until: number | undefined,
  ): Promise<readonly Finding[]> {
    const time = until === undefined ? LOCATE : Math.min(LOCATE, Math.floor((until - performance.now()) / 2));
    if (time < 1) return [messageFinding(whole)];
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(time)]);
    try {
      return await locate(message, whole, this.scanner, inTime);
    } catch {
      return [messageFinding(whole)];
    }
  }
}
