// Trains the embedded spam scorer and says how good it is on mail that it has not seen. Run after "npm run build".
// With --tune it learns from the part "train" alone, is measured on "tune", and writes nothing: for choosing points.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { EmbeddedScorer } from '../dist/detectors/antispam/embedded/embedded.js';
import { decodeModel } from '../dist/detectors/antispam/embedded/model.js';
import { readCorpus, readToday, shareOf } from '../dist/detectors/antispam/training/corpus.js';
import { measure, scoreAll } from '../dist/detectors/antispam/training/measure.js';
import { trainModel } from '../dist/detectors/antispam/training/train.js';

const folder = path.join(import.meta.dirname, '..', 'src', 'detectors', 'antispam', 'embedded');
const percent = (share) => `${(100 * share).toFixed(2)} %`;

const corpus = [...readCorpus()];
const tune = process.argv.includes('--tune');
const learnt = tune ? ['train'] : ['train', 'tune'];
const heldOut = corpus.filter((sample) => shareOf(sample) === (tune ? 'tune' : 'final'));
const known = corpus.filter((sample) => learnt.includes(shareOf(sample)));
const today = readToday('check');

const bytes = await trainModel(corpus, learnt);
if (!tune) writeFileSync(path.join(folder, 'model.bin'), bytes);
const model = decodeModel(bytes);
process.stdout.write(
  `learnt from ${known.length} of ${corpus.length} messages: ${model.size} features, ${bytes.length} bytes\n`,
);

const scorer = new EmbeddedScorer(model);
for (const [title, samples] of [
  ['corpus', heldOut],
  ['today', today],
]) {
  const scored = await scoreAll(scorer, samples);
  process.stdout.write(`\nheld out, ${title}\n`);
  for (const threshold of [3, 5, 8]) {
    const m = measure(scored, threshold);
    process.stdout.write(
      `score >= ${threshold}: precision ${percent(m.precision)}, recall ${percent(m.recall)} (${m.found} of ${m.spam}), ` +
        `false positives ${percent(m.falsePositives)} (${m.false} of ${m.ham})\n`,
    );
  }
  if (process.argv.includes('--list')) {
    for (const { sample, score } of scored)
      if (sample.spam ? score < 5 : score >= 3)
        process.stdout.write(
          `${score.toFixed(2)} ${sample.spam ? 'spam' : 'ham'} ${sample.source}/${sample.name} ${sample.message.subject}\n`,
        );
  }
}
