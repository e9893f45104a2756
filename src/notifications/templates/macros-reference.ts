import { MACRO_MEANINGS } from './macro-meanings.js';
import { MACROS, OBJECT_SPELLINGS, OLDER_SPELLINGS, TEMPLATE_KINDS, type MacroShape } from './macros.js';

/** As their authors write them; the rest of the older names is in capitals. Any case is understood. */
const MIXED_CASE = [
  'ComputerName',
  'ProgramName',
  'TimeStamp',
  'Scanner',
  'InfectedObject',
  'VirusName',
  'ErrorDescription',
  'mydomain',
];

/** The page docs/reference/macros.md, made from the table that templates are checked by. */
export function macrosPage(): string {
  const rows = [...MACROS].map(([name, { kinds, shape }]) =>
    row(`\`${name}\`${fields(shape)}`, spellings(name), MACRO_MEANINGS[name] ?? '', kindsText(kinds)),
  );
  return `# Macros of templates

Names that [templates](../notifications.md#templates) can show, written \`{{name}}\`. The spellings of older products are
understood as well, in any case, so that existing texts can be pasted. \`kind:\` in the front matter of a template says
which macros are valid in it; the shipped names say it by themselves.

${row('macro', 'also written', 'meaning', 'kinds')}
${row('---', '---', '---', '---')}
${rows.join('\n')}

Names in brackets are fields of a list's items: \`{{#each objects}}{{name}}{{/each}}\`. A list that is printed as a whole
reads \`a, b\`; \`length\` is its length.

\`%DATA_BEGIN%\` ... \`%DATA_END%\` is a loop over \`objects\`. In it \`%OBJECT_NAME%\`, \`%OBJECT_SIZE%\` and \`%STATUS%\` are those
of one object; elsewhere they are \`Message\`, the size of the message, and the worst status.

## What is not right

| | |
|---|---|
| a plain \`{{name}}\` or \`%NAME%\` that is no macro | stays in the text as written; \`gatepost check\` warns, with its place and the nearest name |
| an unknown name in a block (\`#if\`, \`#each\` ...) | an error |
| a macro in a template of a kind where it is not valid, in any spelling | an error |
| \`{{{name}}}\` | the value is escaped all the same; a warning |
| helpers other than \`if\`, \`unless\`, \`each\`, \`with\`, \`lookup\`; partials | errors |

Dates are \`2026-11-21 17:05:09 +01:00\`. Links are defanged: \`hxxps://example[.]com\`. Values are one line each.
`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function fields(shape: MacroShape): string {
  return typeof shape === 'string' ? '' : ` (${shape.map((field) => `\`${field}\``).join(', ')})`;
}

function kindsText(kinds: readonly string[]): string {
  return kinds.length === TEMPLATE_KINDS.length ? 'all' : kinds.join(', ');
}

function spellings(name: string): string {
  const older = [...OLDER_SPELLINGS].filter(([, modern]) => modern === name).map(([upper]) => upper);
  const outside = [...OBJECT_SPELLINGS].filter(([, each]) => each.outside === name).map(([upper]) => upper);
  const blocks = name === 'objects' ? ['DATA_BEGIN', 'DATA_END'] : [];
  return [...older, ...outside, ...blocks]
    .map((upper) => `\`%${MIXED_CASE.find((mixed) => mixed.toUpperCase() === upper) ?? upper}%\``)
    .join(', ');
}
