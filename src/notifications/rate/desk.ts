import type { Config } from '../../config/load.js';
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
        // The last word on a mail counts: one statement cannot write a row twice.
        await store.record([...new Map(recorded.map((each) => [each.entry.id, each])).values()]);
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

/** What of the configuration rules sending. @param now ms since the epoch */
export function sendingRules({ rate, interval }: Config['notifications'], now: number): SendingRules {
  return { now, interval, ...(rate === 'off' ? {} : { rate }) };
}
