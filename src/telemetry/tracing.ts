import { SpanKind, SpanStatusCode, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';
import { decodeTime } from 'ulid';

/** A step of a message, for its trace. Times in ms since the epoch. */
export interface Step {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly failed?: boolean;
}

/** A message with its steps. */
export interface TracedMessage extends Step {
  /** A ULID: its 128 bits are the ID of the trace. */
  readonly traceId: string;
  readonly steps: readonly Step[];
}

export interface TracingOptions {
  /** Address that takes OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  readonly version: string;
  readonly node: string;
}

/** Spans that wait for being sent; more are dropped: a collector that is away must not cost memory. */
const MAX_WAITING = 4096;
/** How long a collector may take for a batch, and so how long a stop waits for it. ms */
const PATIENCE = 2000;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The trace ID of OpenTelemetry for a ULID: its 128 bits in hexadecimal digits. */
export function traceIdOf(ulid: string): string {
  // Throws for what is no ULID.
  decodeTime(ulid);
  let bits = 0n;
  for (const digit of ulid.toUpperCase()) bits = bits * 32n + BigInt(CROCKFORD.indexOf(digit));
  return BigInt.asUintN(128, bits).toString(16).padStart(32, '0');
}

/** Sends a trace for each message to a collector, in the background and in batches. Failures cost nothing but the traces. */
export class Tracing {
  readonly #provider: BasicTracerProvider;
  readonly #ids = new RandomIdGenerator();
  #next: string | undefined;

  constructor({ url, version, node }: TracingOptions) {
    this.#provider = new BasicTracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'gatepost',
        'service.version': version,
        'service.instance.id': node,
      }),
      idGenerator: {
        generateTraceId: () => this.#next ?? this.#ids.generateTraceId(),
        generateSpanId: () => this.#ids.generateSpanId(),
      },
      spanProcessors: [
        new BatchSpanProcessor(new OTLPTraceExporter({ url, timeoutMillis: PATIENCE }), {
          maxQueueSize: MAX_WAITING,
          maxExportBatchSize: 512,
          scheduledDelayMillis: 2000,
          exportTimeoutMillis: PATIENCE,
        }),
      ],
    });
  }

  /** Never throws, never waits. */
  record(message: TracedMessage): void {
    const tracer = this.#provider.getTracer('gatepost');
    // Read by the generator of IDs while the root begins.
    this.#next = traceIdOf(message.traceId);
    const root = tracer.startSpan(
      message.name,
      { kind: SpanKind.SERVER, startTime: message.start, attributes: { ...message.attributes }, root: true },
      ROOT_CONTEXT,
    );
    this.#next = undefined;
    const inside = trace.setSpan(ROOT_CONTEXT, root);
    for (const { name, start, end, attributes = {}, failed = false } of message.steps) {
      const span = tracer.startSpan(name, { startTime: start, attributes: { ...attributes } }, inside);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(end);
    }
    if (message.failed === true) root.setStatus({ code: SpanStatusCode.ERROR });
    root.end(message.end);
  }

  /** Sends what waits, for a few seconds at most. Never rejects. */
  async close(): Promise<void> {
    await this.#provider.shutdown().catch(() => undefined);
  }
}
