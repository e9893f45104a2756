const ACTION_WORDS: ReadonlyMap<string, string> = new Map(Object.entries({
  drop: 'discard',
  delete: 'delete-attachment` for the attachment alone, or `discard',
  remove: 'delete-attachment` for the attachment alone, or `discard',
  strip: 'delete-attachment',
  block: 'reject',
  bounce: 'reject',
  deny: 'reject',
  refuse: 'reject',
  accept: 'deliver',
  allow: 'deliver',
  pass: 'deliver',
  skip: 'deliver',
  none: 'deliver',
  greylist: 'defer',
  tempfail: 'defer',
  delay: 'defer',
}));

/** Keys that other programs have as actions; here they stand beside one. */
const OWN_KEYS: ReadonlyMap<string, string> = new Map(Object.entries({
  quarantine: '`quarantine: true`',
  hold: '`quarantine: true`',
  store: '`quarantine: true`',
  tag: '`tag: "[...]"`',
  mark: '`tag: "[...]"`',
  notify: '`notify: [recipients]`',
  warn: '`warn: TEMPLATE`',
  redirect: '`redirect: name@example.org`',
  forward: '`redirect: name@example.org`',
  copy: '`copy: name@example.org`',
  route: '`route: smtp://10.0.0.5:25`',
}));

/** What was meant by a word that is none of those that can stand in its place. */
export function adviceOnWord(place: readonly string[], given: unknown): string | undefined {
  const key = place.at(-1);
  const word = typeof given === 'string' ? given.toLowerCase() : '';
  switch (key) {
    case 'action': {
      if (Array.isArray(given)) return 'name one action; other things to do, such as `quarantine: true`, are keys beside it';
      const own = OWN_KEYS.get(word);
      if (own !== undefined) return `write ${own}: it is a key of its own, beside \`action\``;
      return meant(ACTION_WORDS.get(word));
    }
    case 'process':
      if (word === 'deliver' || word === 'accept' || word === 'allow' || word === 'none') return meant('skip');
      if (word === 'quarantine') return 'write what is done under `on`, such as `malware: { action: discard, quarantine: true }`';
      return meant(word.startsWith('scan') ? 'scan' : ACTION_WORDS.get(word)?.startsWith('reject') === true ? 'reject' : undefined);
    case 'mode':
      return meant(['test', 'monitor', 'dry-run', 'log', 'observe', 'warn'].includes(word) ? 'audit' : undefined);
    case 'senderIs':
      return 'either: the From field is looked at as well; envelope: the envelope sender alone';
    case 'notify':
      if (typeof given === 'string' && given.includes('@'))
        return `write \`additional\` here, and \`notify: { additional: [${given.slice(0, 60)}] }\` at the rule, beside \`on\``;
      return /^(admins?|postmaster|administrators?|security|helpdesk)$/.test(word) ? meant('general') : undefined;
    default:
      return undefined;
  }
}

function meant(word: string | undefined): string | undefined {
  return word === undefined ? undefined : `did you mean \`${word}\`?`;
}
