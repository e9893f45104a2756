import { z } from 'zod';

/** Where traces go. */
export const telemetrySchema = z.strictObject({
  otlp: z
    .string()
    .refine((text) => /^https?:\/\/[^\s@]+$/.test(text) && URL.canParse(text), 'not the address of a collector')
    .optional()
    .describe(
      'where traces go by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; default: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    ),
});
