import type { z } from 'zod';
import type { Problem } from '../config/problems.js';
import { schemasAt } from '../config/schema-keys.js';
import type { KeyPath, YamlSource } from '../config/yaml-source.js';
import { formatPath } from '../config/zod-problems.js';
import { BARE_NUMBER } from './schema-values.js';

/**
 * Numbers without quotes where a text is wanted, of which YAML would keep another text than the one that is written:
 * zeros before and behind, digits that are too many, and other ways to write a number.
 * @param prefix path of the value that the schema is for
 */
export function changedNumbers(source: YamlSource, schema: z.ZodType, prefix: KeyPath): Problem[] {
  const problems: Problem[] = [];
  visitNumbers(source.valueAt(prefix), [], (number, inner) => {
    const path = [...prefix, ...inner];
    const written = source.writtenAt(path);
    if (written === undefined || written === String(number)) return;
    if (!schemasAt(schema, inner).includes(BARE_NUMBER)) return;
    const shown = written.slice(0, 80);
    const message = `\`${formatPath(path)}\`: without quotes ${shown} is a number, of which ${number} is left as a text`;
    problems.push(source.error(path, message, `put it in quotes: "${shown}"`));
  });
  return problems;
}

function visitNumbers(value: unknown, path: KeyPath, visit: (number: number, path: KeyPath) => void): void {
  if (typeof value === 'number') visit(value, path);
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) visitNumbers(item, [...path, index], visit);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) visitNumbers(item, [...path, key], visit);
}
