import type { Anomaly } from '../types.js';

/** A hostile message can repeat an oddity without end: past this many distinct ones nothing more is learnt. */
const MAX_ANOMALIES = 200;
const MAX_DETAIL = 200;

/** Collects anomalies, each distinct name and detail once. */
export class AnomalyLog {
  readonly #seen = new Set<string>();
  readonly #list: Anomaly[] = [];

  add(name: string, detail?: string): void {
    if (this.#list.length >= MAX_ANOMALIES) return;
    const shown = detail === undefined ? undefined : detail.slice(0, MAX_DETAIL).replace(/[^\x20-\x7e]/g, '?');
    const key = shown === undefined ? name : `${name}\0${shown}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#list.push(shown === undefined ? { name } : { name, detail: shown });
  }

  list(): readonly Anomaly[] {
    return this.#list;
  }
}
