import type { Message } from '../../../message/types.js';
import type { DetectorInput } from '../../types.js';
import { bulkMarks } from '../bulk.js';
import type { Engine, Verdict } from '../engine.js';
import { judgeFeatures } from './bayes.js';
import { bodySigns } from './body-signs.js';
import { GTUBE, GTUBE_SCORE } from './gtube.js';
import { headerSigns } from './header-signs.js';
import { shippedModel, type Model } from './model.js';
import { phraseSigns } from './phrases.js';
import type { Sign } from './sign.js';
import { FeatureSet } from './tokens.js';
import { wordSign } from './word-sign.js';

/** Signs alone, without the words, are a suspicion and no more. */
const MAX_SIGNS = 6;

/** Characters of a subject, or of a sender's name, that are read. */
const MAX_SUBJECT = 300;

/** The scorer of Gatepost itself: signs in header and structure, and the words of the text. Needs no engine. */
export class EmbeddedScorer implements Engine {
  readonly name = 'embedded';
  readonly #model: Model;
  readonly #now: () => number;

  constructor(model: Model = shippedModel(), now: () => number = Date.now) {
    this.#model = model;
    this.#now = now;
  }

  async judge({ message }: Pick<DetectorInput, 'message'>): Promise<Verdict> {
    const body = await message.text();
    if (body.text.includes(GTUBE) || body.html.some((html) => html.includes(GTUBE)))
      return { score: GTUBE_SCORE, symbols: [{ name: 'gtube', score: GTUBE_SCORE }], notes: [] };
    const features = featuresOf(message, body.text);
    const words = wordSign(judgeFeatures(features.hashes, this.#model), bulkMarks(message).length > 0);
    const signs: Sign[] = [
      ...headerSigns(message, this.#now()),
      ...bodySigns(message, body),
      ...phraseSigns(features.hashes),
    ];
    const shown = Math.min(
      MAX_SIGNS,
      signs.reduce((sum, sign) => sum + sign.points, 0),
    );
    const score = Math.max(0, shown + words.points);
    const symbols = [words, ...signs].map(({ name, points }) => ({ name, score: points }));
    return { score, symbols, notes: [] };
  }
}

/** What the classifier reads of a message; training reads the same. */
export function featuresOf(message: Message, text: string): FeatureSet {
  const features = new FeatureSet();
  const subject = message.subject.slice(0, MAX_SUBJECT);
  features.add('subject', subject);
  for (const { name } of message.addresses('from').slice(0, 3)) features.add('name', name.slice(0, MAX_SUBJECT));
  features.add('body', subject);
  features.add('body', text);
  return features;
}
