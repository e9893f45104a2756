import { featuresOf } from '../embedded/embedded.js';
import { encodeModel, type ModelEntry } from '../embedded/model.js';
import { readToday, type Sample, type Share, shareOf, TODAY_WEIGHT } from './corpus.js';

/** A feature that fewer messages bear is left out. */
const MIN_COUNT = 4;
/** A feature whose probability is nearer to one half is left out. */
const MIN_STRENGTH = 0.15;
/** How many messages the assumption "one half" outweighs (Robinson's s). */
const ASSUMPTION = 1.5;
/** No single feature is surer than that. */
const SUREST = 0.985;

interface Count {
  spam: number;
  ham: number;
}

/** Counts features in messages of known class, and makes of it the probabilities that the classifier looks up. */
class Trainer {
  readonly #counts = new Map<number, Count>();
  #spam = 0;
  #ham = 0;

  /** @param weight counts the message that many times */
  async learn({ spam, message }: Sample, weight = 1): Promise<void> {
    if (spam) this.#spam += weight;
    else this.#ham += weight;
    const { text } = await message.text();
    for (const hash of featuresOf(message, text).hashes) {
      let count = this.#counts.get(hash);
      if (count === undefined) this.#counts.set(hash, (count = { spam: 0, ham: 0 }));
      if (spam) count.spam += weight;
      else count.ham += weight;
    }
  }

  /** The features that tell something. */
  entries(): readonly ModelEntry[] {
    const entries: ModelEntry[] = [];
    for (const [hash, { spam, ham }] of this.#counts) {
      const n = spam + ham;
      if (n < MIN_COUNT) continue;
      const inSpam = spam / Math.max(1, this.#spam);
      const inHam = ham / Math.max(1, this.#ham);
      const raw = inSpam / (inSpam + inHam);
      const p = Math.min(SUREST, Math.max(1 - SUREST, (ASSUMPTION * 0.5 + n * raw) / (ASSUMPTION + n)));
      if (Math.abs(p - 0.5) < MIN_STRENGTH) continue;
      entries.push({ hash, value: Math.round(p * 255) });
    }
    return entries;
  }
}

/**
 * Makes a model file: the same bytes from the same mail.
 * @param shares parts of the corpus that are learnt from; the one that Gatepost comes with knows all but `final`
 */
export async function trainModel(
  corpus: readonly Sample[],
  shares: readonly Share[] = ['train', 'tune'],
): Promise<Buffer> {
  const trainer = new Trainer();
  for (const sample of corpus) if (shares.includes(shareOf(sample))) await trainer.learn(sample);
  for (const sample of readToday('learn')) await trainer.learn(sample, TODAY_WEIGHT);
  return encodeModel(trainer.entries());
}
