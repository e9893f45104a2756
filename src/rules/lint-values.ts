import type { Problem } from '../config/problems.js';
import type { KeyPath } from '../config/yaml-source.js';
import { FIELDS } from './fields.js';
import type { PlacedRule } from './placed.js';

interface Complaint {
  readonly message: string;
  readonly hint: string;
}

/**
 * Values of conditions that are correct, and yet take nothing or not what was meant.
 * @param lists names of those that there are
 */
export function lintValues(rules: readonly PlacedRule[], lists: ReadonlySet<string>): Problem[] {
  return rules.flatMap(({ source, index }) => {
    const problems: Problem[] = [];
    visit(source.valueAt(['rules', index]), ['rules', index], (text, path) => {
      const complaint = complainOf(text, path, lists);
      if (complaint !== undefined) problems.push(source.warning(path, complaint.message, complaint.hint));
    });
    return problems;
  });
}

function visit(value: unknown, path: KeyPath, each: (text: string, path: KeyPath) => void): void {
  if (typeof value === 'string') each(value, path);
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, [...path, i], each);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) visit(item, [...path, key], each);
}

function complainOf(text: string, path: KeyPath, lists: ReadonlySet<string>): Complaint | undefined {
  const keys = path.filter((step) => typeof step === 'string');
  if (!keys.includes('when')) return undefined;
  const [field = '', test] = keys.slice(keys.findLastIndex((key) => FIELDS.has(key) || key.startsWith('header.')));
  if (test === 'is' && text.startsWith('@') && lists.has(text.slice(1)))
    return { message: `\`is\` takes the text "${text}" alone, and not what the list holds`, hint: `for the list write \`in: "${text}"\`` };
  if (field === 'attachment.extension' && (test === undefined || test === 'is' || test === 'in')) return complainOfExtension(text);
  return test === 'matches' && field !== 'link.url' ? complainOfPattern(text) : undefined;
}

function complainOfExtension(text: string): Complaint | undefined {
  const name = /^(\*?)\.([^*?]+)$/.exec(text)?.[2];
  if (name === undefined) return undefined;
  const what = text.startsWith('*') ? `takes double extensions alone, such as "pdf.${name.slice(0, 80)}"` : 'can match no extension';
  return { message: `"${text.slice(0, 80)}" ${what}: extensions are without the dot`, hint: `did you mean "${name.slice(0, 80)}"?` };
}

/** As other programs write regular expressions. */
function complainOfPattern(text: string): Complaint | undefined {
  const [, pattern, flags = ''] = /^\/(.+)\/([a-z]*)$/s.exec(text) ?? [];
  if (pattern === undefined || !/^[gimsuxy]*$/.test(flags)) return undefined;
  const meant = `${flags.includes('i') ? '(?i)' : ''}${pattern}`;
  return {
    message: 'the slashes around this regular expression belong to it: it takes only text that has them',
    hint: `did you mean '${meant.slice(0, 80)}'?`,
  };
}
