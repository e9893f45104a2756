import type { Inspection } from '../../pipeline/types.js';
import type { InspectPool } from '../../pipeline/pool.js';
import type { MessageHandler } from '../../smtp/types.js';
import type { DeliveryRecord, Journal, LedgerEntry, Store } from '../../store/types.js';
import type { Metrics } from '../../telemetry/metrics.js';

/** More rules than this share one series: each is kept by the process and by the scraper. */
const MAX_RULES = 1000;
const OTHER = 'other';

/** The handler, with its answers and their time counted. */
export function measuredHandler(handler: MessageHandler, metrics: Metrics): MessageHandler {
  return {
    hasRoom: () => handler.hasRoom(),
    handle: async (message) => {
      const start = performance.now();
      const reply = await handler.handle(message);
      const outcome = reply.code < 400 ? 'accepted' : reply.code < 500 ? 'deferred' : 'refused';
      metrics.messages.inc({ outcome });
      metrics.messageSeconds.observe((performance.now() - start) / 1000);
      return reply;
    },
  };
}

/** The pool, with what inspecting came to counted. */
export function measuredPool(pool: InspectPool, metrics: Metrics): InspectPool {
  const rules = new Set<string>();
  const known = (rule: string): string => {
    if (rules.has(rule)) return rule;
    if (rules.size >= MAX_RULES) return OTHER;
    rules.add(rule);
    return rule;
  };
  return {
    ready: async () => await pool.ready(),
    inspect: async (input, source, begun) => {
      const inspection = await pool.inspect(input, source, begun);
      countInspection(inspection, metrics, known);
      return inspection;
    },
    reload: async (bundle, specs, more) => await pool.reload(bundle, specs, more),
    close: async () => await pool.close(),
    get counters() {
      return pool.counters;
    },
  };
}

function countInspection(inspection: Inspection, metrics: Metrics, known: (rule: string) => string): void {
  for (const [phase, ms] of Object.entries(inspection.phases)) metrics.inspectSeconds.observe({ phase }, ms / 1000);
  for (const { module, status, milliseconds } of inspection.modules) {
    metrics.moduleSeconds.observe({ module }, milliseconds / 1000);
    metrics.moduleRuns.inc({ module, status });
  }
  for (const { module, status } of inspection.findings) metrics.findings.inc({ module, status });
  for (const { decision } of inspection.recipients)
    metrics.decisions.inc({ rule: known(decision.rule), action: decision.action });
}

/** What writes to the ledger, with what became of notifications; a row that is written twice may be counted twice. */
export function measuredStore<S extends Pick<Store, 'ledger' | 'sending'>>(store: S, metrics: Metrics): S {
  const { ledger, sending } = store;
  const count = ({ kind, state }: Pick<LedgerEntry, 'kind' | 'state'>): void => {
    if (state !== 'queued') metrics.notifications.inc({ kind, state });
  };
  sending.onFolded((entries) => {
    for (const entry of entries) count(entry);
  });
  return {
    ...store,
    ledger: {
      ...ledger,
      put: async (entry, kept) => {
        await ledger.put(entry, kept);
        count(entry);
      },
    },
    sending: {
      ...sending,
      record: async (outcomes) => {
        await sending.record(outcomes);
        for (const { entry } of outcomes) count(entry);
      },
    },
  };
}

/** The journal, with what was delivered and what was not counted on its way there. */
export function measuredJournal(journal: Journal, metrics: Metrics): Journal {
  const count = (records: readonly DeliveryRecord[]): void => {
    for (const { hop, state } of records) metrics.deliveries.inc({ hop, state });
  };
  return {
    record: (entry) => {
      count(entry.deliveries);
      journal.record(entry);
    },
    delivered: (id, records) => {
      count(records);
      journal.delivered(id, records);
    },
    flush: async () => await journal.flush(),
    find: async (id) => await journal.find(id),
    findByMessageId: async (messageId) => await journal.findByMessageId(messageId),
    get lost() {
      return journal.lost;
    },
  };
}
