import type { Config } from '../../config/load.js';
import { isFinal } from '../../store/ledger.js';
import type { Admission, Asked, Recorded, SendingRules, SendingStore } from '../../store/sending-types.js';
import { Batch } from './batch.js';

/** Mails that one transaction decides on, or writes. */
const MAX_BATCH = 100;

/** Asks and tells the store about many mails at a time. */
export class SendingDesk {
  readonly admit: (asked: Asked) => Promise<Admission>;
  readonly record: (outcome: Recorded) => Promise<void>;

  /** @param patience how long few wait for more, so that they share transactions, ms */
  constructor(store: Pick<SendingStore, 'admit' | 'record'>, rules: () => SendingRules, patience = 0) {
    const admissions = new Batch<Asked, Admission>(
      MAX_BATCH,
      async (asked) => await store.admit(asked, rules()),
      patience,
    );
    const outcomes = new Batch<Recorded, undefined>(
      MAX_BATCH,
      async (recorded) => {
        await store.record(lastWords(recorded));
        return recorded.map(() => undefined);
      },
      patience,
    );
    this.admit = async (asked) => await admissions.ask(asked);
    this.record = async (outcome) => {
      await outcomes.ask(outcome);
    };
  }
}

/**
 * One for each mail, as one statement cannot write a row twice: the last word on it counts, but for one that says less. A
 * mail that was sent may be owed once more in the same moment, by a message that is found again after a kill.
 */
function lastWords(recorded: readonly Recorded[]): Recorded[] {
  const words = new Map<string, Recorded>();
  for (const each of recorded) {
    const { id } = each.entry;
    const before = words.get(id)?.entry;
    if (before !== undefined && (isFinal(before) || before.attempts > each.entry.attempts)) continue;
    words.set(id, each);
  }
  return [...words.values()];
}

/** What of the configuration rules sending. @param now ms since the epoch */
export function sendingRules({ rate, interval }: Config['notifications'], now: number): SendingRules {
  return { now, interval, ...(rate === 'off' ? {} : { rate }) };
}
