import type { AnomalyName } from '../anomalies.js';
import type { Anomaly } from '../types.js';

/** A hostile message can repeat an oddity without end: past this many distinct ones nothing more is learnt. */
const MAX_ANOMALIES = 200;
const MAX_DETAIL = 200;

/** Collects anomalies, each distinct name, detail and object once. */
export class AnomalyLog {
  readonly #seen = new Set<string>();
  readonly #list: Anomaly[] = [];

  add(name: AnomalyName, detail?: string, object?: string): void {
    if (this.#list.length >= MAX_ANOMALIES) return;
    const shown = detail === undefined ? undefined : detail.slice(0, MAX_DETAIL).replace(/[^\x20-\x7e]/g, '?');
    const key = `${name}\0${shown ?? ''}\0${object ?? ''}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#list.push({
      name,
      ...(shown === undefined ? {} : { detail: shown }),
      ...(object === undefined ? {} : { object }),
    });
  }

  list(): readonly Anomaly[] {
    return this.#list;
  }
}
