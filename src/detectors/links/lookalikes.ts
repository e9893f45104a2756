import { disguised, mixedScripts, skeleton } from './confusables.js';
import { asciiHost, registrable, shownForm, withParents, type Registrable } from './names.js';
import { BAIT, BRANDS, STRONG_BAIT, WEAK_BAIT } from './words.js';

/** What is wrong with a name. */
export interface Imitation {
  readonly status: 'phishing' | 'suspicious-link';
  readonly reason: string;
}

interface Protected extends Registrable {
  /** One of the gateway's own domains; else one of `protect`. */
  readonly own: boolean;
  /** The label as people see it. */
  readonly shown: string;
}

/** Names of these lengths are mistyped and varied too easily for a comparison by single letters. */
const MIN_LABEL = 4;
const MIN_EDIT = 5;
const MIN_EDIT_OWN = 7;
const MAX_KEPT = 10_000;

/** Top-level domains under which words in Cyrillic or Greek letters are ordinary. */
const FOREIGN_SUFFIXES: ReadonlySet<string> = new Set('ru su by ua kz kg mn bg rs mk me ba gr cy eu am'.split(' '));

/** Names that are reserved for examples (RFC 2606): those of others do not imitate ours. */
const RESERVED: ReadonlySet<string> = new Set(['example.com', 'example.net', 'example.org']);

/**
 * Finds names that are made to be taken for one of the protected ones. Names are looked up by what they look like, so
 * that it costs the same for one protected name as for ten thousand.
 */
export class Lookalikes {
  readonly #trusted = new Set<string>();
  readonly #byLabel = new Map<string, Protected[]>();
  readonly #bySkeleton = new Map<string, Protected[]>();
  /** Labels of which one letter was left out. */
  readonly #byDeletion = new Map<string, Protected[]>();
  readonly #brands = new Map<string, string>();
  readonly #kept = new Map<string, Imitation | undefined>();

  /**
   * @param own domains that mail is accepted for
   * @param guarded further domains to be protected
   * @param allowed domains that imitate nothing, whatever they look like
   */
  constructor(own: readonly string[], guarded: readonly string[], allowed: readonly string[]) {
    for (const brand of BRANDS) this.#brands.set(skeleton(brand), brand);
    for (const domain of allowed) this.#trusted.add(asciiHost(domain.replace(/^\*\./, '')));
    for (const domain of guarded) this.#protect(domain, false);
    for (const domain of own) this.#protect(domain, true);
  }

  /** Whether the host belongs to a protected or allowed domain. */
  trusts(host: string): boolean {
    return withParents(host).some((name) => this.#trusted.has(name));
  }

  /** What the host imitates; undefined when nothing. */
  check(host: string): Imitation | undefined {
    if (this.#kept.has(host)) return this.#kept.get(host);
    const found = this.trusts(host) ? undefined : this.#check(host);
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(host, found);
    return found;
  }

  #protect(domain: string, own: boolean): void {
    const host = asciiHost(domain.replace(/^\*\./, ''));
    const found = registrable(host);
    this.#trusted.add(found?.domain ?? host);
    if (found === undefined) return;
    const shown = shownForm(found.label);
    if ((this.#byLabel.get(shown) ?? []).some((known) => known.domain === found.domain)) return;
    const entry = { ...found, own, shown };
    push(this.#byLabel, shown, entry);
    if (shown.length < MIN_LABEL) return;
    push(this.#bySkeleton, skeleton(shown), entry);
    if (shown.length < (own ? MIN_EDIT_OWN : MIN_EDIT)) return;
    for (const shorter of deletions(shown)) push(this.#byDeletion, shorter, entry);
  }

  #check(host: string): Imitation | undefined {
    const name = registrable(host);
    if (name === undefined) return undefined;
    const label = shownForm(name.label);
    return (
      this.#embedded(host, name) ??
      this.#sameLook(label, name) ??
      scripts(host, label, name) ??
      this.#addedWords(label) ??
      this.#edited(label, name) ??
      this.#otherSuffix(label, name)
    );
  }

  /** `bank.example.evil.test`: the whole name stands in front of another one. */
  #embedded(host: string, { domain }: Registrable): Imitation | undefined {
    const labels = host.slice(0, Math.max(0, host.length - domain.length - 1)).split('.');
    for (let start = 0; start < labels.length && start < 12; start += 1) {
      for (let end = start + 2; end <= labels.length && end <= start + 4; end += 1) {
        const inner = labels.slice(start, end).join('.');
        const entry = this.#byLabel.get(labels[start] ?? '')?.find((known) => known.domain === inner);
        if (entry !== undefined) return phishing(`the name ${inner} stands in front of ${domain}`);
      }
    }
    return undefined;
  }

  #sameLook(label: string, { domain, suffix }: Registrable): Imitation | undefined {
    const look = skeleton(label);
    for (const entry of this.#bySkeleton.get(look) ?? []) {
      if (entry.shown === label) continue;
      const reason = `${shownForm(domain)} looks like ${shownForm(entry.domain)}`;
      // `muller.example` beside the own `müller.example` is as likely theirs as anybody's.
      if (/^[\x20-\x7e]*$/.test(label) && withoutMarks(entry.shown) === label) return suspicious(reason);
      return phishing(reason);
    }
    const brand = this.#brands.get(look);
    if (brand === undefined || brand === label || suffix === brand) return undefined;
    // Real words differ from a brand by an i for an l; digits, other alphabets and `rn` for `m` are made.
    const made = /[^a-z-]/.test(label) || (label.length > brand.length && /rn|vv/.test(label));
    return made ? phishing(`${shownForm(domain)} looks like ${brand}`) : undefined;
  }

  /** `example-login`, `secure-example`, `examplelogin`. */
  #addedWords(label: string): Imitation | undefined {
    const tokens = label.split('-').filter((token) => token !== '');
    if (tokens.length > 1 && tokens.length <= 6) {
      for (const token of tokens) {
        const others = tokens.filter((other) => other !== token);
        const entry = this.#byLabel.get(token)?.find(({ shown }) => shown.length >= MIN_LABEL);
        if (entry !== undefined && others.length > 0 && others.every((other) => BAIT.has(other)))
          return wordsAdded(entry, others);
        const brand = this.#brands.get(skeleton(token));
        if (brand !== undefined && others.length > 0 && others.every((other) => STRONG_BAIT.has(other)))
          return phishing(`words were added to the name ${brand}`);
      }
      // A protected name may itself have a dash: `my-bank` in `my-bank-login`.
      for (let cut = 1; cut < tokens.length; cut += 1) {
        const front = tokens.slice(0, cut);
        const back = tokens.slice(cut);
        for (const [name, rest] of [
          [front, back],
          [back, front],
        ] as const) {
          const entry = name.length > 1 ? this.#byLabel.get(name.join('-'))?.[0] : undefined;
          if (entry !== undefined && rest.every((word) => BAIT.has(word))) return wordsAdded(entry, rest);
        }
      }
    }
    return this.#gluedWord(label);
  }

  #gluedWord(label: string): Imitation | undefined {
    for (let cut = 2; cut < label.length - 1; cut += 1) {
      const front = label.slice(0, cut);
      const back = label.slice(cut);
      const name = BAIT.has(back) ? front : BAIT.has(front) ? back : undefined;
      if (name === undefined) continue;
      const word = name === front ? back : front;
      const entry = this.#byLabel.get(name)?.find(({ shown }) => shown.length > MIN_LABEL);
      if (entry !== undefined && word.length >= 4) return wordsAdded(entry, [word]);
    }
    return undefined;
  }

  /** One letter too many, too few, changed, or two exchanged. */
  #edited(label: string, { domain, suffix }: Registrable): Imitation | undefined {
    if (this.#byDeletion.size === 0 || label.length < MIN_EDIT - 1 || label.length > 63) return undefined;
    const candidates = new Set([
      ...(this.#byDeletion.get(label) ?? []),
      ...deletions(label).flatMap((shorter) => [
        ...(this.#byDeletion.get(shorter) ?? []),
        ...(this.#byLabel.get(shorter) ?? []),
      ]),
    ]);
    for (const entry of candidates) {
      if (entry.shown === label || entry.shown.length < (entry.own ? MIN_EDIT_OWN : MIN_EDIT)) continue;
      const edit = oneEdit(entry.shown, label);
      if (edit === undefined) continue;
      const reason = `${shownForm(domain)} differs from ${shownForm(entry.domain)} by one letter`;
      // Of one's own name every neighbour in the dictionary would be a suspect: only what looks like a slip counts.
      const slip = edit !== 'changed' && edit !== 'added' && suffix === entry.suffix;
      return entry.own && !slip ? suspicious(reason) : phishing(reason);
    }
    return undefined;
  }

  #otherSuffix(label: string, { domain }: Registrable): Imitation | undefined {
    if (RESERVED.has(domain)) return undefined;
    const entries = (this.#byLabel.get(label) ?? []).filter(({ shown }) => shown.length >= MIN_LABEL);
    const entry = entries.find(({ own }) => !own) ?? entries[0];
    if (entry === undefined) return undefined;
    const reason = `${shownForm(domain)} is not ${shownForm(entry.domain)}`;
    return entry.own ? suspicious(reason) : phishing(reason);
  }
}

function scripts(host: string, label: string, { suffix }: Registrable): Imitation | undefined {
  if (!host.includes('xn--')) return undefined;
  for (const part of shownForm(host).split('.')) {
    const mixed = mixedScripts(part);
    if (mixed !== undefined) return phishing(`the name mixes letters of ${mixed.join(' and ')}`);
  }
  const top = suffix.slice(suffix.lastIndexOf('.') + 1);
  if (disguised(label) && !top.startsWith('xn--') && !FOREIGN_SUFFIXES.has(top))
    return phishing('the name is written in letters of another alphabet that look Latin');
  return undefined;
}

function phishing(reason: string): Imitation {
  return { status: 'phishing', reason };
}

function suspicious(reason: string): Imitation {
  return { status: 'suspicious-link', reason };
}

/** Firms have several names themselves: of our own only words that lure make it phishing. */
function wordsAdded(entry: Protected, words: readonly string[]): Imitation {
  const reason = `words were added to ${shownForm(entry.domain)}`;
  return entry.own && words.every((word) => WEAK_BAIT.has(word)) ? suspicious(reason) : phishing(reason);
}

function withoutMarks(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '');
}

function deletions(word: string): string[] {
  return [...new Set(Array.from(word, (_, index) => word.slice(0, index) + word.slice(index + 1)))];
}

/** How one word becomes the other by one slip; undefined when it takes more. */
export function oneEdit(
  from: string,
  to: string,
): 'changed' | 'added' | 'doubled' | 'left-out' | 'exchanged' | undefined {
  if (Math.abs(from.length - to.length) > 1) return undefined;
  let at = 0;
  while (at < from.length && at < to.length && from[at] === to[at]) at += 1;
  if (from.length < to.length) {
    if (from.slice(at) !== to.slice(at + 1)) return undefined;
    return to[at] === to[at - 1] ? 'doubled' : 'added';
  }
  if (from.length > to.length) return from.slice(at + 1) === to.slice(at) ? 'left-out' : undefined;
  if (from === to) return undefined;
  if (from.slice(at + 1) === to.slice(at + 1)) return 'changed';
  const exchanged = from[at] === to[at + 1] && from[at + 1] === to[at] && from.slice(at + 2) === to.slice(at + 2);
  return exchanged ? 'exchanged' : undefined;
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
