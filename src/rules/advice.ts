import type { Mistake } from '../config/zod-problems.js';
import { adviceOnKey } from './advice-keys.js';
import { adviceOnType } from './advice-types.js';
import { adviceOnWord } from './advice-words.js';

/** What the author of a rule probably meant. Paths count from the rule. */
export function ruleAdvice(mistake: Mistake): string | undefined {
  const place = placeOf(mistake.path);
  switch (mistake.kind) {
    case 'key':
      return adviceOnKey(place, mistake.given);
    case 'word':
      return adviceOnWord(place, mistake.given);
    case 'type':
      return adviceOnType(place, mistake.given);
    case 'missing':
      return adviceOnMissing(place);
  }
}

/** A path without the numbers of list entries, from the key on that says what stands there. */
function placeOf(path: Mistake['path']): readonly string[] {
  return path.filter((step) => typeof step === 'string');
}

function adviceOnMissing(place: readonly string[]): string | undefined {
  switch (place.join('.')) {
    case 'id':
      return 'give the rule a short name of its own: `id: my-rule`';
    case 'on.content.id':
      return 'give the expression a short name of its own: `id: my-files`';
    case 'on.content.when':
      return 'say what it is about, such as `when: { attachment.name: "*.exe" }`';
    default:
      return undefined;
  }
}
