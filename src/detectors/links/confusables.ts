/**
 * Letters that look like others, after Unicode UTS 39 (confusables), as far as domain names may hold them: groups of a
 * Latin letter and what is taken for it.
 */
const GROUPS =
  'a:аɑα@ b:вьƅЬб c:сϲᴄ d:ԁɗđ e:еҽєε f:ƒғϝ g:ɡԍց h:һհнħ i:іїıɩιɪ j:јϳյ k:кκƙ l:ӏłⅼǀլ m:мʍ n:ոηпռɴ o:оοσօøᴏ ' +
  'p:рρþƿ q:ԛզ r:гʀᴦ s:ѕꜱʂ t:тτŧ u:υսμцʋ v:νѵᴠ w:ԝѡωաɯ x:хχ y:уγүʏ z:ᴢʐ';

const LOOKS = new Map<string, string>([
  ['0', 'o'],
  ['1', 'l'],
  ['3', 'e'],
  ['4', 'a'],
  ['5', 's'],
  ['7', 't'],
  ['8', 'b'],
  ['i', 'l'],
  ['æ', 'ae'],
  ['œ', 'oe'],
]);
for (const group of GROUPS.split(' ')) {
  const [latin = '', others = ''] = group.split(':');
  for (const other of others) LOOKS.set(other, latin === 'i' ? 'l' : latin);
}

/** Letters of other scripts that have the look of a Latin one. */
const FOREIGN: ReadonlySet<string> = new Set(
  [...LOOKS.keys()].filter((char) => /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}]/u.test(char)),
);

/**
 * What a name looks like: names with equal skeletons are easily taken for one another. Marks are dropped, look-alikes
 * become one letter, `rn` is an `m`.
 * @param name in lower case, international names in Unicode
 */
export function skeleton(name: string): string {
  let out = '';
  for (const char of name.normalize('NFKD')) {
    if (/\p{M}/u.test(char)) continue;
    out += LOOKS.get(char) ?? char;
  }
  return out.replaceAll('rn', 'm').replaceAll('vv', 'w');
}

const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Armenian',
  'Hebrew',
  'Arabic',
  'Georgian',
  'Cherokee',
  'Thai',
  'Devanagari',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Bopomofo',
].map((name) => ({ name, test: new RegExp(`\\p{Script=${name}}`, 'u') }));

/** Scripts that one language writes together (UTS 39 5.2, highly restrictive). */
const TOGETHER: readonly ReadonlySet<string>[] = [
  new Set(['Latin', 'Han', 'Hiragana', 'Katakana']),
  new Set(['Latin', 'Han', 'Bopomofo']),
  new Set(['Latin', 'Han', 'Hangul']),
];

/** Scripts of the letters of a label that do not belong together; undefined when all is well. */
export function mixedScripts(label: string): readonly string[] | undefined {
  const found = new Set<string>();
  for (const char of label) {
    const script = SCRIPTS.find(({ test }) => test.test(char));
    if (script !== undefined) found.add(script.name);
    else if (/\p{L}/u.test(char)) found.add('another');
  }
  if (found.size < 2 || TOGETHER.some((set) => [...found].every((name) => set.has(name)))) return undefined;
  return [...found];
}

/** Whether every letter is of another script and looks Latin: a whole word in disguise. */
export function disguised(label: string): boolean {
  let letters = 0;
  for (const char of label) {
    if (!/\p{L}/u.test(char)) continue;
    if (!FOREIGN.has(char)) return false;
    letters += 1;
  }
  return letters >= 2;
}
