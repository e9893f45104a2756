import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PROGRAM_FOLDER, type Config } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import { shownPath } from '../config/shown-path.js';
import type { Templates } from '../notifications/templates/load.js';
import type { RuleBundle } from '../rules/model.js';

/**
 * Warns of own templates that only rules can name and that none names. One with the name of a shipped template takes
 * its place, so it is used.
 */
export async function unusedTemplates(
  { folder, templates: own }: Config,
  templates: Templates,
  bundle: RuleBundle | undefined,
): Promise<Problem[]> {
  if (own === undefined || bundle === undefined) return [];
  const used = new Set(bundle.rules.flatMap(({ on }) => on.flatMap(({ responses }) => responses.flatMap(namesIn))));
  const shipped = new Set(await readdir(path.join(PROGRAM_FOLDER, 'templates', 'en')));
  return templates.names.flatMap((name): Problem[] => {
    const template = templates.get(name);
    if (template === undefined || used.has(name) || shipped.has(`${name}.hbs`)) return [];
    if (template.kind !== 'rule' && template.kind !== 'banner') return [];
    const file = shownPath(path.join(own, template.language, `${name}.hbs`), folder);
    return [
      {
        severity: 'warning',
        place: { file, line: 1, column: 1 },
        message: `no rule uses the template "${name}"`,
        hint:
          template.kind === 'banner'
            ? `name it under \`warn\` or \`disclaimer\` of a response, or remove the file`
            : `name it under \`notify\` of a rule or response, or remove the file`,
      },
    ];
  });
}

function namesIn({ effect }: RuleBundle['rules'][number]['on'][number]['responses'][number]): string[] {
  const { warn, disclaimer, notify } = effect;
  return [warn ?? [], disclaimer ?? [], notify.map(({ template }) => template)].flat();
}
