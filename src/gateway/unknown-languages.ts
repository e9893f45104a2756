import type { Config } from '../config/load.js';
import type { Problem } from '../config/problems.js';
import { nearest } from '../config/suggest.js';
import { FALLBACK_LANGUAGE } from '../notifications/templates/load.js';

/** Warns of languages of mails that have no folder of templates: English is sent in their place. */
export function unknownLanguages({ notifications, source }: Config, languages: readonly string[]): Problem[] {
  const sets: readonly { readonly language: string }[] = notifications.events.recipients;
  const asked: { readonly path: readonly (string | number)[]; readonly language: string }[] = [
    { path: ['notifications', 'language'], language: notifications.language },
    ...sets.map(({ language }, i) => ({
      path: ['notifications', 'events', 'recipients', i, 'language'],
      language,
    })),
  ];
  return asked.flatMap(({ path, language }, i) => {
    // A set that names none has that of notifications, of which it has been said.
    if (languages.includes(language) || (i > 0 && source.valueAt(path) === undefined)) return [];
    const meant = nearest(language, languages);
    const hint =
      meant === undefined
        ? `there are ${languages.join(', ')}; a folder \`${language}\` under \`templates\` adds one`
        : `did you mean \`${meant}\`?`;
    return [
      source.warning(path, `there are no templates in the language "${language}": ${FALLBACK_LANGUAGE} is used`, hint),
    ];
  });
}
