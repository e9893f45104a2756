import { z } from 'zod';
import { KNOWN_MODULES } from './findings.js';
import { describeKeys } from './reference/describe-keys.js';
import { ruleFileSchema } from './schema-rule.js';

/**
 * The JSON Schema of rule files, for editors: made from the zod schema that checks them. It knows the words of the
 * language; lists, templates and configured modules of a site are checked at load.
 */
export function rulesJsonSchema(): Record<string, unknown> {
  const checked = ruleFileSchema({ lists: new Set(), modules: KNOWN_MODULES });
  const made = z.toJSONSchema(checked, {
    io: 'input',
    target: 'draft-7',
    reused: 'ref',
    override: ({ jsonSchema }) => {
      const { properties, additionalProperties: rest } = jsonSchema;
      if (properties === undefined || typeof rest !== 'object') return;
      // Keys that zod lets through and a check of ours looks at have a form that an editor can know.
      const form = keyForm(Object.keys(properties));
      if (form === undefined) return;
      jsonSchema.patternProperties = { [form]: rest };
      jsonSchema.additionalProperties = false;
    },
  });
  // A file that has nothing yet is one without rules.
  const { required: _, ...rest } = made;
  const { rules } = made.properties ?? {};
  const schema = { title: 'Gatepost rules', ...rest, type: ['object', 'null'], properties: { rules: { anyOf: [rules, { type: 'null' }] } } };
  describeKeys(schema);
  return schema;
}

/** Text of rules/rules.schema.json. */
export function rulesJsonSchemaText(): string {
  return `${JSON.stringify(rulesJsonSchema(), undefined, 2)}\n`;
}

function keyForm(known: readonly string[]): string | undefined {
  if (known.includes('not')) return '^header\\.[!-9;-~]+$';
  if (known.includes('malware')) return '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$';
  return undefined;
}
