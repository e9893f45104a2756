import { z } from 'zod';
import { logLevel } from '../../config/schema.js';
import type { SmtpAddress } from '../../smtp/smtp-service.js';

/** What a process says when it takes mail. */
export interface ReadyFacts {
  readonly addresses: readonly SmtpAddress[];
  readonly hops: readonly string[];
  readonly queue: string;
  readonly store: string;
  readonly rules: number;
}

const texts = z.array(z.string());

const readySchema = z.object({
  ready: z.object({
    addresses: z.array(z.object({ host: z.string(), port: z.number(), implicitTls: z.boolean() })),
    hops: texts,
    queue: z.string(),
    store: z.string(),
    rules: z.number(),
  }),
});

/** How much is logged, as the settings in force say. */
export type LogLevel = z.output<typeof logLevel>;

const inForceSchema = z.object({ inForce: z.object({ level: logLevel }) });

/** What a process says when settings have come into force there, for what the process above goes by. */
export function inForceMessage(level: LogLevel): z.input<typeof inForceSchema> {
  return { inForce: { level } };
}

/** The level of a message that settings are in force; undefined for any other. */
export function readInForce(message: unknown): LogLevel | undefined {
  const parsed = inForceSchema.safeParse(message);
  return parsed.success ? parsed.data.inForce.level : undefined;
}

/** What the process above tells one of its own. */
export type Order = 'stop' | 'reload' | 'answer';

const orderSchema = z.object({ order: z.enum(['stop', 'reload', 'answer']) });

/** A message of a process that it is ready; undefined for any other. */
export function readReady(message: unknown): ReadyFacts | undefined {
  const parsed = readySchema.safeParse(message);
  return parsed.success ? parsed.data.ready : undefined;
}

/** An order of the process above; undefined for any other message. */
export function readOrder(message: unknown): Order | undefined {
  const parsed = orderSchema.safeParse(message);
  return parsed.success ? parsed.data.order : undefined;
}
