import type { Summary } from '../../store/sending-types.js';
import type { NotifiedNode } from '../types.js';

/** What a template of kind `summary` can show. */
export interface SummaryContext {
  readonly kind: 'summary';
  readonly summary: Summary;
  /** The node that sends. */
  readonly node: NotifiedNode;
}
