import Handlebars from 'handlebars';
import { nearest } from '../../config/suggest.js';
import { boundedEach, FillBounds } from './bounded-each.js';
import { OBJECT_SPELLINGS, OLDER_SPELLINGS, type TemplateKind } from './macros.js';
import { translateOlderSpellings } from './older-spellings.js';
import { TemplateChecker } from './check.js';
import { offsetOf, type TextProblem } from './position.js';

/** Fills a text in. Values come ready for their place: see views.ts. @throws Error when it grows beyond all bounds */
export type Fill = (view: object) => string;

export interface Compiled {
  /** Absent when there is an error. */
  readonly fill?: Fill;
  readonly problems: readonly TextProblem[];
}

const OLDER_NAMES = [...OLDER_SPELLINGS.keys(), ...OBJECT_SPELLINGS.keys(), 'DATA_BEGIN', 'DATA_END'];
const BLOCKS = { if: true, unless: true, each: true, with: true, lookup: true };

/** An environment of our own: nothing that is registered elsewhere can be called from a template. */
const handlebars = Handlebars.create();

/**
 * Checks and compiles a text. Prototypes are out of reach, no helpers but the built-in ones can be called, and a
 * mustache that means nothing stays as it was written.
 * @param escape whether values are escaped for HTML
 */
export function compileText(source: string, kind: TemplateKind, escape: boolean): Compiled {
  const translation = translateOlderSpellings(source);
  const problems: TextProblem[] = translation.unknown.map(({ name, offset }) => ({
    severity: 'warning',
    offset,
    message: `${name} is not a macro: it stays in the text as written`,
    ...hintFor(name),
  }));
  let program: hbs.AST.Program;
  try {
    program = handlebars.parse(translation.text);
  } catch (error) {
    const { offset, message } = syntaxError(error, translation.text);
    return { problems: [...problems, { severity: 'error', offset: translation.offset(offset), message }] };
  }
  const checker = new TemplateChecker(translation.text, kind);
  checker.check(program);
  problems.push(...checker.problems.map((each) => ({ ...each, offset: translation.offset(each.offset) })));
  if (problems.some((each) => each.severity === 'error')) return { problems };
  const template = handlebars.compile<object>(program, {
    noEscape: !escape,
    knownHelpers: { ...BLOCKS, log: false, helperMissing: false, blockHelperMissing: false },
    knownHelpersOnly: true,
  });
  const { each } = handlebars.helpers;
  if (each === undefined) throw new Error('there is no #each');
  const mustaches = translation.text.split('{{').length;
  const fill: Fill = (view) => {
    const bounds = new FillBounds(mustaches);
    const filled = template(view, {
      allowProtoPropertiesByDefault: false,
      allowProtoMethodsByDefault: false,
      allowCallsToHelperMissing: false,
      helpers: { each: boundedEach(each, bounds) },
    });
    bounds.length(filled.length);
    return filled;
  };
  return { fill, problems };
}

function hintFor(name: string): { readonly hint?: string } {
  const meant = nearest(name.slice(1, -1), OLDER_NAMES);
  return meant === undefined ? {} : { hint: `did you mean \`%${meant}%\`?` };
}

/** Handlebars tells the line in its text (`Parse error on line 2:`, `if doesn't match each - 2:3`). */
function syntaxError(error: unknown, text: string): { readonly offset: number; readonly message: string } {
  const raw = error instanceof Error ? error.message : String(error);
  const mismatch = /^(.*) - (\d+):(\d+)$/m.exec(raw);
  if (mismatch !== null) {
    const offset = offsetOf(text, Number(mismatch[2]), Number(mismatch[3]));
    return { offset, message: `blocks do not fit: ${mismatch[1] ?? ''}` };
  }
  const line = Number(/^(?:Parse|Lexical) error on line (\d+)/.exec(raw)?.[1] ?? 1);
  const got = /got '([A-Z_]+)'/.exec(raw)?.[1];
  const message =
    got === 'EOF' ? 'a block is opened and not closed before the end' : 'the template cannot be read: a mustache is malformed';
  const start = offsetOf(text, line, 0);
  const mustache = text.indexOf('{{', start);
  const end = text.indexOf('\n', start);
  return { offset: mustache >= 0 && (end < 0 || mustache < end) ? mustache : start, message };
}
