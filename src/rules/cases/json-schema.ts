import { z } from 'zod';
import { KNOWN_MODULES } from '../findings.js';
import { describeKeys } from '../reference/describe-keys.js';
import { caseFileSchema } from './schema.js';

/** Text of rules/tests.schema.json: the JSON Schema of test files, for editors, made from the schema that checks them. */
export function casesJsonSchemaText(): string {
  const schema = caseFileSchema({ modules: KNOWN_MODULES, timezone: 'UTC' });
  const made = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', reused: 'ref' });
  describeKeys(made);
  return `${JSON.stringify({ title: 'Gatepost test cases', ...made }, undefined, 2)}\n`;
}
