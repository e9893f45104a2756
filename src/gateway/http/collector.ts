import { telemetrySchema } from '../../config/schema-telemetry.js';
import type { Log } from '../../telemetry/log.js';

/**
 * The collector that the standard variables name (OpenTelemetry, "OTLP Exporter Configuration"). One that is none is no
 * reason not to start: it is told, and there are no traces.
 */
export function collectorOf(environment: NodeJS.ProcessEnv, log: Log): string | undefined {
  for (const [variable, path] of [
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ''],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', '/v1/traces'],
  ] as const) {
    const value = environment[variable];
    if (value === undefined || value === '') continue;
    const url = path === '' ? value : `${value.replace(/\/$/, '')}${path}`;
    if (telemetrySchema.safeParse({ otlp: url }).success) return url;
    // Not the value: it may hold a password.
    log.warn(
      { variable, hint: 'such as http://127.0.0.1:4318, without a user' },
      'a variable of the environment is not the address of a collector: no traces are sent',
    );
    return undefined;
  }
  return undefined;
}
