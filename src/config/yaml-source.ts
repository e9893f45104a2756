import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';
import type { z } from 'zod';
import { excerptOf } from './excerpt.js';
import type { Place, Problem } from './problems.js';
import { maskLine, withoutPasswords, withoutSecrets } from './secrets.js';
import { formatSize } from './units.js';
import { syntaxWords } from './yaml-words.js';
import { zodProblems, type Advice } from './zod-problems.js';

/** Room for tens of thousands of rules. */
export const MAX_YAML_BYTES = 8e6;
const MAX_ALIASES = 100;
/** Levels of YAML's own tree, about two for each that an author sees. */
const MAX_DEPTH = 200;

export type KeyPath = readonly (string | number)[];

/**
 * A YAML text that knows where each key and value stands, so that every complaint about it can name
 * file, line and column.
 */
export class YamlSource {
  readonly file: string;
  readonly text: string;
  /** Errors of the syntax itself; with any of them `value` is undefined. */
  readonly problems: readonly Problem[];
  readonly value: unknown;
  private readonly document: Document.Parsed | undefined;
  private readonly lines = new LineCounter();

  /** @param file path as the author would write it */
  constructor(file: string, text: string) {
    this.file = file;
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text;
    if (Buffer.byteLength(this.text) > MAX_YAML_BYTES) {
      this.problems = [
        {
          severity: 'error',
          place: { file, line: 1, column: 1 },
          message: `the file has more than ${formatSize(MAX_YAML_BYTES)}, which is not read`,
        },
      ];
      return;
    }
    if (this.text.includes('\uFFFD') || this.text.includes('\0')) {
      const at = this.text.search(/[\uFFFD\0]/);
      this.lines.lineStarts.push(...lineStarts(this.text));
      this.problems = [this.at(at, 'the file is not UTF-8 text', 'save it as UTF-8')];
      return;
    }
    const document = this.parse();
    if (document === undefined) {
      this.problems = [
        {
          severity: 'error',
          place: { file, line: 1, column: 1 },
          message: TOO_DEEP,
          hint: 'no rule or setting needs more than a few levels',
        },
      ];
      return;
    }
    const problems: Problem[] = document.errors.map((error) => {
      // Behind the dash of a list's entry the library has other words for the same mistake.
      const code = this.followsTab(error.pos[0]) ? 'TAB_AS_INDENT' : error.code;
      const { message, hint } = syntaxWords(code, firstLine(error.message));
      return this.at(openQuote(document, error) ?? error.pos[0], message, hint);
    });
    // What follows an error in the same line follows from it.
    const lines = new Set<number | undefined>();
    problems.splice(
      0,
      problems.length,
      ...problems.filter(({ place }) => !lines.has(place?.line) && lines.add(place?.line)),
    );
    const warnings = document.warnings.map((w): Problem => this.at(w.pos[0], firstLine(w.message)));
    if (problems.length === 0) problems.push(...warnings, ...this.badNodes(document));
    this.document = document;
    this.problems = problems;
    if (problems.length === 0) {
      try {
        this.value = document.toJS({ maxAliasCount: MAX_ALIASES });
      } catch (error) {
        this.problems = [this.at(0, inWords(error), 'write out what the aliases (*name) stand for')];
      }
    }
  }

  /** @returns undefined where levels stand in each other without end */
  private parse(): Document.Parsed | undefined {
    try {
      const document = parseDocument(this.text, {
        lineCounter: this.lines,
        uniqueKeys: true,
        strict: true,
        merge: false,
        prettyErrors: false,
      });
      return document.errors.some(({ message }) => message.includes('call stack')) ? undefined : document;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** Where a key's value stands; where it is missing, the nearest parent that there is. */
  place(path: KeyPath, what: 'key' | 'value' = 'value'): Place {
    return this.placeAt(this.offsetOf(path, what)).place;
  }

  /** How a plain value is written in the file; undefined where there is none. */
  writtenAt(path: KeyPath): string | undefined {
    const { node } = this.find(path, 'value');
    return isScalar(node) ? node.source : undefined;
  }

  private offsetOf(path: KeyPath, what: 'key' | 'value'): number {
    return this.find(path, what).offset;
  }

  /** The node at a path, or the nearest parent that there is, and where it stands. */
  private find(path: KeyPath, what: 'key' | 'value'): { readonly node: unknown; readonly offset: number } {
    let node: unknown = this.document?.contents;
    let offset = nodeOffset(node) ?? 0;
    for (const [depth, step] of path.entries()) {
      if (isAlias(node) && this.document !== undefined) node = node.resolve(this.document);
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
        if (pair === undefined) break;
        const last = depth === path.length - 1;
        offset =
          (last && what === 'key' ? nodeOffset(pair.key) : (nodeOffset(pair.value) ?? nodeOffset(pair.key))) ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = nodeOffset(node) ?? offset;
      } else break;
    }
    if (isAlias(node) && this.document !== undefined) node = node.resolve(this.document);
    return { node, offset };
  }

  error(path: KeyPath, message: string, hint?: string, what: 'key' | 'value' = 'value'): Problem {
    return this.at(this.offsetOf(path, what), message, hint);
  }

  warning(path: KeyPath, message: string, hint?: string, what: 'key' | 'value' = 'value'): Problem {
    return { ...this.error(path, message, hint, what), severity: 'warning' };
  }

  /**
   * Turns the issues of a zod schema into problems with places and suggestions.
   * @param schema the schema that refused
   * @param prefix path of the value that it was applied to
   * @param advice what an author of such a file probably meant
   */
  fromZod(error: z.ZodError, schema: z.ZodType, prefix: KeyPath = [], advice?: Advice): Problem[] {
    return zodProblems(this, error, schema, prefix, advice);
  }

  /** The value at a path; undefined where there is none. */
  valueAt(path: KeyPath): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = (value as Record<string | number, unknown>)[step];
    }
    return value;
  }

  private badNodes(document: Document.Parsed): Problem[] {
    const problems: Problem[] = [];
    visit(document, {
      Collection: (_, collection, path) => {
        if (path.length <= MAX_DEPTH) return undefined;
        problems.push(
          this.at(nodeOffset(collection) ?? 0, TOO_DEEP, 'no rule or setting needs more than a few levels'),
        );
        return visit.BREAK;
      },
      Alias: (_, alias) => {
        const at = nodeOffset(alias) ?? 0;
        const named = alias.resolve(document)?.range;
        if (named === undefined)
          problems.push(
            this.at(
              at,
              `*${alias.source} stands for nothing: a star before a word is an alias in YAML`,
              `put it in quotes if it is a mask: "*${alias.source}"`,
            ),
          );
        else if (named !== null && named[0] <= at && at < named[2])
          problems.push(
            this.at(
              at,
              `the alias *${alias.source} stands in what it names: it would have no end`,
              'write out what is meant',
            ),
          );
      },
      Pair: (_, pair) => {
        if (isPair(pair) && !isScalar(pair.key))
          problems.push(this.at(nodeOffset(pair.key) ?? 0, 'a key must be a plain word'));
        else if (isPair(pair) && isScalar(pair.key) && pair.key.value === '__proto__')
          problems.push(this.at(nodeOffset(pair.key) ?? 0, 'a key cannot have this name', 'take another one'));
      },
    });
    return problems;
  }

  /** Whether nothing but spaces and a tab stands in the line before an offset. */
  private followsTab(offset: number): boolean {
    return /(?:^|\n) *\t[ \t]*$/.test(this.text.slice(Math.max(0, offset - 100), offset));
  }

  /** What a line says in secret is neither shown with it nor said in the sentence. */
  private at(offset: number, message: string, hint?: string): Problem {
    const { place, secrets } = this.placeAt(offset);
    return {
      severity: 'error',
      place,
      message: withoutPasswords(withoutSecrets(message, secrets)),
      ...(hint === undefined ? {} : { hint: withoutSecrets(hint, secrets) }),
    };
  }

  private placeAt(offset: number): { readonly place: Place; readonly secrets: readonly string[] } {
    const { line, col } = this.lines.linePos(offset);
    const start = this.lines.lineStarts[line - 1] ?? 0;
    const end = this.text.indexOf('\n', start);
    const text = this.text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
    const column = Math.max(col, 1);
    const masked = maskLine(text, column);
    const excerpt = excerptOf(masked.text, masked.column);
    const shown = excerpt.excerptColumn ?? masked.column;
    return {
      place: {
        file: this.file,
        line: Math.max(line, 1),
        column,
        excerpt: excerpt.excerpt,
        ...(shown === column ? {} : { excerptColumn: shown }),
      },
      secrets: masked.secrets,
    };
  }
}

/** Where the quote begins that an error finds unclosed; the error itself stands at the end of the text. */
function openQuote(
  document: Document.Parsed,
  error: { readonly code: string; readonly message: string; readonly pos: readonly number[] },
): number | undefined {
  if (error.code !== 'MISSING_CHAR' || !error.message.includes('quote')) return undefined;
  let at: number | undefined;
  const look = (_: unknown, node: Node): void => {
    const [start, , end] = node.range ?? [];
    if (start !== undefined && end !== undefined && end >= (error.pos[0] ?? 0)) at = Math.max(at ?? 0, start);
  };
  visit(document, { Scalar: look });
  return at;
}

const TOO_DEEP = 'too many levels of lists and maps stand in each other';

/** Why a text that is well written cannot be turned into values. */
function inWords(error: unknown): string {
  if (error instanceof RangeError) return TOO_DEEP;
  if (error instanceof ReferenceError && /alias count/i.test(error.message))
    return 'aliases (*name) that name each other make more of this file than can be read';
  return error instanceof Error ? firstLine(error.message) : 'the file cannot be read';
}

function nodeOffset(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/:$/, '');
}
