import path from 'node:path';

/**
 * Where a module of our own lies that is loaded by its name: what runs in a thread of its own, and what stands in a
 * layer above. Found among the sources, in dist/, and in the bundle (scripts/bundle.mjs, which has it among its entries).
 * @param name as in src/, without extension
 */
export function moduleUrl(name: string): URL {
  return assetUrl(`${name}${path.extname(new URL(import.meta.url).pathname)}`);
}

/**
 * Where a file of src/ that is no TypeScript lies.
 * @param name as in src/
 */
export function assetUrl(name: string): URL {
  // This file lies one folder below the root of the sources and of dist/, and so do the pieces of the bundle below its.
  return new URL(`../${name}`, import.meta.url);
}
