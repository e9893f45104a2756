/**
 * Finds which of many literals occur in a text, in one pass over the text (Aho and Corasick 1975): the time grows with
 * the text and with what is found, not with the number of literals.
 */
export class LiteralFinder {
  private readonly symbols = new Map<number, number>();
  private readonly width: number;
  /** Edges of the tree by `node * width + symbol`. */
  private readonly edges = new Map<number, number>();
  /** The node of the longest proper suffix that is in the tree. */
  private readonly fallback: Int32Array;
  /** The literal that ends at a node, -1 where none does. */
  private readonly literalAt: Int32Array;
  /** The next node on the way along `fallback` at which a literal ends; 0 is none. */
  private readonly nextEnd: Int32Array;

  /** @param literals none of them empty, none twice */
  constructor(literals: readonly string[]) {
    for (const literal of literals)
      for (let i = 0; i < literal.length; i++) {
        const unit = literal.charCodeAt(i);
        if (!this.symbols.has(unit)) this.symbols.set(unit, this.symbols.size);
      }
    this.width = this.symbols.size;
    const most = literals.reduce((sum, literal) => sum + literal.length, 1);
    this.fallback = new Int32Array(most);
    this.literalAt = new Int32Array(most).fill(-1);
    this.nextEnd = new Int32Array(most);
    this.link(this.plant(literals));
  }

  /** Calls back with the index of each literal that occurs, perhaps more than once. */
  find(text: string, found: (literal: number) => void): void {
    if (this.width === 0) return;
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const symbol = this.symbols.get(text.charCodeAt(i));
      node = symbol === undefined ? 0 : this.step(node, symbol);
      for (let end = this.endAt(node); end > 0; end = this.nextEnd[end] ?? 0) found(this.literalAt[end] ?? -1);
    }
  }

  private endAt(node: number): number {
    return (this.literalAt[node] ?? -1) >= 0 ? node : (this.nextEnd[node] ?? 0);
  }

  private step(from: number, symbol: number): number {
    for (let node = from; ; node = this.fallback[node] ?? 0) {
      const next = this.edges.get(node * this.width + symbol);
      if (next !== undefined) return next;
      if (node === 0) return 0;
    }
  }

  /** Builds the tree; gives the nodes' parents and symbols in the order in which they were made. */
  private plant(literals: readonly string[]): readonly (readonly [number, number])[] {
    const origins: (readonly [number, number])[] = [[0, 0]];
    for (const [index, literal] of literals.entries()) {
      let node = 0;
      for (let i = 0; i < literal.length; i++) {
        const symbol = this.symbols.get(literal.charCodeAt(i)) ?? 0;
        const key = node * this.width + symbol;
        let next = this.edges.get(key);
        if (next === undefined) {
          next = origins.length;
          this.edges.set(key, next);
          origins.push([node, symbol]);
        }
        node = next;
      }
      this.literalAt[node] = index;
    }
    return origins;
  }

  /** Links fall back to shorter texts, so nodes are linked in the order of their depth. */
  private link(origins: readonly (readonly [number, number])[]): void {
    const depth = new Int32Array(origins.length);
    for (const [node, [parent]] of origins.entries()) if (node > 0) depth[node] = (depth[parent] ?? 0) + 1;
    const order = Array.from(origins.keys()).sort((a, b) => (depth[a] ?? 0) - (depth[b] ?? 0));
    for (const node of order) {
      const [parent, symbol] = origins[node] ?? [0, 0];
      if (node === 0) continue;
      const fallback = parent === 0 ? 0 : this.step(this.fallback[parent] ?? 0, symbol);
      this.fallback[node] = fallback;
      this.nextEnd[node] = this.endAt(fallback);
    }
  }
}
