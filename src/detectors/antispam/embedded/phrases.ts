import { HashTable } from './hash-table.js';
import type { Sign } from './sign.js';
import { hashPhrase } from './tokens.js';

/**
 * What today's spam says and the mail of the training set does not, by subject; words and pairs of words. One of them
 * says nothing, since every one occurs in ordinary mail; several of one subject do.
 */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  'advance-fee': [
    ...['next kin', 'million dollars', 'million usd', 'million euros', 'barrister', 'diplomatic', 'foreign partner'],
    ...['strictly confidential', 'utmost confidentiality', 'atm card', 'compensation fund', 'business proposal'],
    ...['millionen euro', 'begünstigter', 'begünstigten', 'streng vertraulich', 'dormant account'],
  ],
  extortion: [
    ...['bitcoin wallet', 'bitcoin address', 'your webcam', 'adult sites', 'adult websites', 'masturbating'],
    ...['recorded you', 'your contacts', 'send bitcoin', 'bitcoin adresse', 'bitcoin wallet', 'ihre kamera'],
    ...['pornoseiten', 'ihre kontakte', 'full access', 'vollen zugriff', 'your passwords', 'btc'],
  ],
  pills: [
    ...['viagra', 'cialis', 'levitra', 'xanax', 'valium', 'tramadol', 'phentermine', 'online pharmacy', 'erectile'],
    ...['potenzmittel', 'erections', 'without prescription', 'rezeptfrei', 'ohne rezept', 'male enhancement', 'pills'],
    ...['penis', 'enlargement', 'canadian pharmacy'],
  ],
  casino: [
    ...['casino', 'online casino', 'free spins', 'jackpot', 'roulette', 'freispiele', 'welcome bonus', 'slots'],
    ...['lottery', 'your winnings', 'lucky winner', 'willkommensbonus', 'einzahlungsbonus', 'deposit bonus'],
  ],
  credentials: [
    ...[
      'account suspended',
      'been suspended',
      'mailbox storage',
      'mailbox quota',
      'quota exceeded',
      'will deactivated',
    ],
    ...[
      'unusual activity',
      'password expires',
      'avoid deactivation',
      'avoid suspension',
      'your mailbox',
      'konto gesperrt',
    ],
    ...['konto eingeschränkt', 'konto verifizieren', 'been limited', 'webmail', 'validate your', 'verify your'],
    ...['sperrung ihres', 'speicherplatz voll'],
  ],
  money: [
    ...['passive income', 'make money', 'from home', 'per week', 'financial freedom', 'trading bot', 'get rich'],
    ...['investment opportunity', 'risk free', 'double your', 'passives einkommen', 'geld verdienen', 'bad credit'],
    ...['finanzielle freiheit', 'credit check', 'instant loan', 'sofortkredit', 'ohne schufa', 'guaranteed profit'],
    ...['daily profit', 'crypto investment'],
  ],
  promotion: [
    ...['first page', 'page google', 'backlinks', 'seo services', 'rank your', 'guest post', 'targeted traffic'],
    ...['email database', 'replica', 'rolex', 'luxury watches', 'hot singles', 'single women', 'tonight lonely'],
    ...['replica watches', 'domain authority', 'seo service', 'google ranking', 'website ranking', 'hookup'],
  ],
};

/** Points of a subject by the number of its phrases. */
const POINTS = [0, 0, 0.5, 2, 4, 5];

const NAMES = Object.keys(SUBJECTS);
/** All of them. */
export const PHRASES: readonly string[] = Object.values(SUBJECTS).flat();
/** For each phrase the number of its subject, from 1 on. */
const INDEX = new HashTable(
  NAMES.flatMap((name, index) =>
    (SUBJECTS[name] ?? []).map((phrase) => ({ hash: hashPhrase(phrase), value: index + 1 })),
  ),
);

/** What today's spam is about, as far as these features of the body show. */
export function phraseSigns(hashes: readonly number[]): Sign[] {
  const counts = new Uint16Array(NAMES.length + 1);
  for (const hash of hashes) {
    const subject = INDEX.lookUp(hash);
    counts[subject] = (counts[subject] ?? 0) + 1;
  }
  return NAMES.flatMap((name, index) => {
    const points = POINTS[Math.min(POINTS.length - 1, counts[index + 1] ?? 0)] ?? 0;
    return points > 0 ? [{ name: `speaks-of-${name}`, points }] : [];
  });
}
