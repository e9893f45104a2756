import type { AnomalyName } from './anomalies.js';
import type { Structure } from './types.js';

/**
 * Anomalies under which one reader may see a part that another does not, and the second reader is worth its time.
 * `blank-folded-line` is none of them: the second reader folds as the first does, and the structure holds the reading
 * of those that end the header there (`otherBodyStart`).
 */
const AMBIGUOUS: ReadonlySet<AnomalyName> = new Set<AnomalyName>([
  'duplicate-content-type',
  'duplicate-content-transfer-encoding',
  'duplicate-content-disposition',
  'malformed-header',
  'missing-header-end',
  'blank-line-before-header',
  'space-before-colon',
  'too-many-fields',
  'malformed-content-type',
  'malformed-parameter',
  'conflicting-parameters',
  'broken-continuation',
  'extended-boundary',
  'unknown-transfer-encoding',
  'malformed-transfer-encoding',
  'encoded-multipart',
  'encoded-message',
  'missing-boundary',
  'malformed-boundary',
  'boundary-not-found',
  'ambiguous-boundary',
  'repeated-boundary',
  'unclosed-multipart',
  'parts-after-close',
  'parts-outside-boundary',
  'parts-in-text',
  'too-many-parts',
  'too-deep',
]);

/** Whether the structure could hide a part from one reader or another. */
export function isAmbiguous(structure: Structure): boolean {
  return structure.anomalies.some(({ name }) => AMBIGUOUS.has(name));
}
