import type { Problem } from '../config/problems.js';
import type { KeyPath } from '../config/yaml-source.js';
import { FIELDS } from './fields.js';
import { isGroup } from './groups.js';
import type { PlacedRule } from './placed.js';
import { complainOfMask, type MaskUse } from './mask-lint.js';

/** Masks of rules that can match no address. Those of lists are looked at where the list is read. */
export function lintMasks(rules: readonly PlacedRule[]): Problem[] {
  const problems: Problem[] = [];
  for (const { source, index } of rules) {
    visitMasks(rawRule(source.value, index), ['rules', index], (mask, use, path) => {
      const complaint =
        isGroup(mask) && use === 'domain'
          ? { message: `"${mask}" can match no domain: it holds addresses`, hint: 'leave `.domain` out' }
          : complainOfMask(mask, use);
      if (complaint !== undefined) problems.push(source.warning(path, complaint.message, complaint.hint));
    });
  }
  return problems;
}

type Visit = (mask: string, use: MaskUse, path: KeyPath) => void;

/** Goes to every mask for addresses or domains in a rule as written. */
function visitMasks(value: unknown, path: KeyPath, visit: Visit): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visitMasks(item, [...path, index], visit);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const here = [...path, key];
    const kind = FIELDS.get(key)?.kind;
    const isNotify = path.includes('notify');
    if ((kind === 'address' || kind === 'domain') && !isNotify) visitTest(item, kind, here, visit);
    else visitMasks(item, here, visit);
  }
}

function visitTest(value: unknown, use: MaskUse, path: KeyPath, visit: Visit): void {
  if (typeof value === 'string') visit(value, use, path);
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) visitTest(item, use, [...path, index], visit);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) if (key === 'is' || key === 'in') visitTest(item, use, [...path, key], visit);
}

function rawRule(value: unknown, index: number): unknown {
  const rules: unknown = typeof value === 'object' && value !== null && 'rules' in value ? value.rules : undefined;
  return Array.isArray(rules) ? rules[index] : undefined;
}
