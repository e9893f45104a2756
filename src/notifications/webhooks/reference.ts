import { z } from 'zod';
import { payloadSchema } from './payload.js';

/** The JSON Schema of what webhooks are posted, for docs/reference/webhook.schema.json. */
export function webhookSchemaText(): string {
  const schema = z.toJSONSchema(payloadSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'What Gatepost posts to webhooks, version 1', ...schema }, null, 2)}\n`;
}
