import { hashPhrase } from './tokens.js';

/**
 * What today's spam says and the mail of the training set does not, by subject; words and pairs of words. One of them
 * says nothing, since every one occurs in ordinary mail; from the second of one subject on they count.
 */
const SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  'advance-fee': [
    ...['next kin', 'million dollars', 'million usd', 'million euros', 'beneficiary', 'late husband', 'inheritance'],
    ...['barrister', 'diplomatic', 'foreign partner', 'strictly confidential', 'deceased', 'utmost confidentiality'],
    ...['atm card', 'compensation fund', 'widow', 'god bless', 'business proposal', 'erbschaft', 'millionen euro'],
    ...['begünstigter', 'begünstigten', 'verstorbenen', 'streng vertraulich'],
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

/** Points of the second, third and every further phrase of one subject. */
const STEP = 1;
const MAX_POINTS = 3.5;

const NAMES = Object.keys(SUBJECTS);
const INDEX: ReadonlyMap<number, number> = new Map(
  NAMES.flatMap((name, index) => (SUBJECTS[name] ?? []).map((phrase): [number, number] => [hashPhrase(phrase), index])),
);

/** What today's spam is about, as far as these features of the body show. */
export function phraseSigns(hashes: ReadonlySet<number>): { readonly name: string; readonly points: number }[] {
  const counts = new Uint16Array(NAMES.length);
  for (const hash of hashes) {
    const index = INDEX.get(hash);
    if (index !== undefined) counts[index] = (counts[index] ?? 0) + 1;
  }
  return NAMES.flatMap((name, index) => {
    const points = Math.min(MAX_POINTS, ((counts[index] ?? 0) - 1) * STEP);
    return points > 0 ? [{ name: `speaks-of-${name}`, points }] : [];
  });
}
