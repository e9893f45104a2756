import type { InspectPool } from '../../pipeline/pool.js';
import type { Inspection } from '../../pipeline/types.js';
import type { MessageHandler, ReceivedMessage } from '../../smtp/types.js';
import type { SmtpReply } from '../../rules/types.js';
import type { Step, Tracing } from '../../telemetry/tracing.js';

interface Inspected {
  readonly start: number;
  readonly end: number;
  readonly inspection: Inspection;
}

/**
 * A trace for each message: from the end of its data to the reply, with the wait for a thread, the phases and detectors
 * within, and what came after. Addresses and subjects stay out of it.
 */
export class MessageTraces {
  readonly #tracing: Pick<Tracing, 'record'>;
  /** Messages that are being handled, once they are inspected. What is inspected again from the spool is not among them. */
  readonly #open = new Map<string, Inspected | undefined>();

  constructor(tracing: Pick<Tracing, 'record'>) {
    this.#tracing = tracing;
  }

  pool(pool: InspectPool): InspectPool {
    return {
      ready: async () => await pool.ready(),
      inspect: async (input, source, begun) => {
        const start = Date.now();
        const inspection = await pool.inspect(input, source, begun);
        if (this.#open.has(input.traceId)) this.#open.set(input.traceId, { start, end: Date.now(), inspection });
        return inspection;
      },
      reload: async (bundle, specs, more) => await pool.reload(bundle, specs, more),
      close: async () => await pool.close(),
      get counters() {
        return pool.counters;
      },
    };
  }

  handler(handler: MessageHandler): MessageHandler {
    return {
      hasRoom: () => handler.hasRoom(),
      handle: async (message) => {
        const start = Date.now();
        this.#open.set(message.traceId, undefined);
        try {
          const reply = await handler.handle(message);
          this.#record(message, reply, start, this.#open.get(message.traceId));
          return reply;
        } finally {
          this.#open.delete(message.traceId);
        }
      },
    };
  }

  #record(message: ReceivedMessage, reply: SmtpReply, start: number, inspected: Inspected | undefined): void {
    const end = Date.now();
    this.#tracing.record({
      traceId: message.traceId,
      name: 'message',
      start,
      end,
      attributes: {
        'gatepost.id': message.traceId,
        'gatepost.reply': reply.code,
        'gatepost.recipients': message.envelope.recipients.length,
        ...(inspected === undefined ? {} : { 'gatepost.size': inspected.inspection.facts.size }),
      },
      failed: reply.code >= 400 && reply.code < 500,
      steps: inspected === undefined ? [] : stepsOf(inspected, end),
    });
  }
}

function stepsOf({ start, end, inspection }: Inspected, over: number): Step[] {
  const { parse, detect, decide, edit } = inspection.phases;
  const begun = Math.max(start, end - (parse + detect + decide + edit));
  const steps: Step[] = [
    { name: 'inspect', start, end, attributes: { 'gatepost.findings': inspection.findings.length } },
    ...(begun - start >= 1 ? [{ name: 'wait for a thread', start, end: begun }] : []),
  ];
  let at = begun;
  for (const [name, ms] of Object.entries({ parse, detect, decide, edit })) {
    steps.push({ name, start: at, end: at + ms });
    if (name === 'detect') steps.push(...modulesOf(inspection, at));
    at += ms;
  }
  steps.push({ name: 'dispose and record', start: end, end: over });
  return steps;
}

function modulesOf({ modules }: Inspection, start: number): Step[] {
  return modules.map(({ module, status, milliseconds }) => ({
    name: `detect ${module}`,
    start,
    end: start + milliseconds,
    attributes: { 'gatepost.status': status },
    failed: status === 'error' || status === 'timeout',
  }));
}
