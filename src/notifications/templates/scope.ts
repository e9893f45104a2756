import { MACROS, type MacroShape, type TemplateKind } from './macros.js';

/** Names that a place in a template can see: the root, or one item of a loop in it. */
export interface Scope {
  /** Undefined at the root. */
  readonly parent?: Scope;
  /** What `this` is; `root` for the whole. */
  readonly shape: MacroShape | 'root';
  /** Names given by `as |item|`. */
  readonly named: ReadonlyMap<string, MacroShape>;
}

export const ROOT: Scope = { shape: 'root', named: new Map() };

export type Lookup =
  /** Known here. `root`: it is one of the whole, seen from inside a loop. */
  | { readonly kind: 'known'; readonly shape: MacroShape; readonly root: boolean }
  | { readonly kind: 'invalid'; readonly name: string }
  | { readonly kind: 'unknown' };

const LOOP_DATA = new Set(['index', 'key', 'first', 'last']);
const LIST_FIELDS: ReadonlySet<string> = new Set(['length']);

/** What a path of a template means at a place. */
export function lookUp(path: hbs.AST.PathExpression, scope: Scope, kind: TemplateKind): Lookup {
  const [first, ...rest] = path.parts;
  if (path.data) {
    if (first === 'root') return atRoot(rest, kind);
    return first !== undefined && LOOP_DATA.has(first) && rest.length === 0 ? text(false) : { kind: 'unknown' };
  }
  let at: Scope | undefined = scope;
  for (let depth = path.depth; depth > 0; depth--) at = at?.parent;
  if (at === undefined) return { kind: 'unknown' };
  if (at.shape === 'root' && first !== undefined) return atRoot(path.parts, kind, at);
  if (first === undefined) return at.shape === 'root' ? { kind: 'unknown' } : { kind: 'known', shape: at.shape, root: false };
  const named = path.depth === 0 ? findNamed(first, at) : undefined;
  if (named !== undefined) return field(named, rest);
  if (at.shape !== 'root' && typeof at.shape !== 'string' && at.shape.includes(first)) return field('text', rest);
  // From inside a loop the names of the whole can be used as they are, unless they were meant of `this`.
  if (path.depth > 0 || /^\.|^this\b/.test(path.original)) return { kind: 'unknown' };
  const outer = atRoot(path.parts, kind);
  return outer.kind === 'known' ? { ...outer, root: true } : outer;
}

function findNamed(name: string, scope: Scope): MacroShape | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const shape = at.named.get(name);
    if (shape !== undefined) return shape;
  }
  return undefined;
}

function atRoot(parts: readonly string[], kind: TemplateKind, scope: Scope = ROOT): Lookup {
  const [name, ...rest] = parts;
  if (name === undefined) return { kind: 'unknown' };
  const named = scope.named.get(name);
  if (named !== undefined) return field(named, rest);
  const macro = MACROS.get(name);
  if (macro === undefined) return { kind: 'unknown' };
  if (!macro.kinds.includes(kind)) return { kind: 'invalid', name };
  return field(macro.shape, rest);
}

/** `rules.0.name`, `objects.length`. */
function field(shape: MacroShape, rest: readonly string[]): Lookup {
  const [first, ...more] = rest;
  if (first === undefined) return { kind: 'known', shape, root: false };
  if (shape === 'text' || shape === 'flag') return { kind: 'unknown' };
  if (LIST_FIELDS.has(first)) return more.length === 0 ? text(false) : { kind: 'unknown' };
  if (/^\d{1,4}$/.test(first)) {
    if (shape === 'texts') return more.length === 0 ? text(false) : { kind: 'unknown' };
    const [name, ...deeper] = more;
    return name !== undefined && shape.includes(name) && deeper.length === 0 ? text(false) : { kind: 'unknown' };
  }
  return shape !== 'texts' && shape.includes(first) && more.length === 0 ? text(false) : { kind: 'unknown' };
}

function text(root: boolean): Lookup {
  return { kind: 'known', shape: 'text', root };
}
