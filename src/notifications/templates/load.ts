import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { placeInText } from '../../config/excerpt.js';
import type { Place, Problem } from '../../config/problems.js';
import { shownPath } from '../../config/shown-path.js';
import { YamlSource } from '../../config/yaml-source.js';
import { isMissing } from '../../store/files.js';
import { compileText, type Compiled, type Fill } from './compile.js';
import { TEMPLATE_KINDS, type TemplateKind } from './macros.js';
import type { TextProblem } from './position.js';
import { parseWords, WORDS_FILE } from './words-file.js';
import { ENGLISH_WORDS, Words } from './words.js';

export type TemplateFormat = 'text' | 'html' | 'both';

/** A template that can be filled in. */
export interface Template {
  readonly name: string;
  readonly language: string;
  readonly kind: TemplateKind;
  /** `both`: the body is HTML, and a text is made from it. */
  readonly format: TemplateFormat;
  readonly subject: Fill;
  readonly body: Fill;
  /** The body as it was written. */
  readonly source: string;
  /** The subject as it was written; empty for a text that is put into a message. */
  readonly subjectSource: string;
  /** What code puts into it, in its language. */
  readonly words: Words;
}

/** A template, and where it was read. */
export interface FoundTemplate {
  readonly template: Template;
  /** The one of the given folders. */
  readonly folder: string;
  readonly file: string;
}

export interface Templates {
  /** The template in the language, else in English; undefined when there is none of the name. */
  get(name: string, language?: string): Template | undefined;
  readonly names: readonly string[];
}

export interface LoadedTemplates {
  readonly templates: Templates;
  /** Those that are in use, of all languages, by name and language. */
  readonly all: readonly FoundTemplate[];
  /** Languages that have a folder. */
  readonly languages: readonly string[];
  readonly problems: readonly Problem[];
}

export const FALLBACK_LANGUAGE = 'en';
const EXTENSION = '.hbs';
const MAX_BYTES = 256 * 1024;

const frontMatter = z.strictObject({
  subject: z.string().min(1).optional(),
  format: z.enum(['text', 'html', 'both']).default('text'),
  kind: z.enum(TEMPLATE_KINDS).optional(),
});

/**
 * Reads all templates of some folders, each with one folder a language.
 * @param folders the first that has a template of a name and language wins: own ones before shipped ones
 * @param language of the mails, unless another is asked for; English where a template is missing in it
 * @param root folder that displayed paths count from; of a folder elsewhere they begin with its name
 */
export async function loadTemplates(
  folders: readonly string[],
  language: string,
  root?: string,
): Promise<LoadedTemplates> {
  const languages = await readLanguages(folders, root);
  const problems = languages.flatMap((language) => [...language.problems]);
  const byLanguage = new Map<string, ReadonlyMap<string, FoundTemplate>>();
  for (const { name, places, words } of languages) {
    const known = new Map<string, FoundTemplate>();
    byLanguage.set(name, known);
    for (const { folder, shown } of places) {
      for (const file of await templateFiles(path.join(folder, name))) {
        const template = path.basename(file, EXTENSION);
        if (known.has(template)) continue;
        const whole = path.join(folder, name, file);
        const parsed = parseTemplate(
          path.posix.join(shown, name, file),
          template,
          name,
          await readFile(whole, 'utf8'),
          words,
        );
        problems.push(...parsed.problems);
        if (parsed.template !== undefined) known.set(template, { template: parsed.template, folder, file: whole });
      }
    }
  }
  const names = [...new Set([...byLanguage.values()].flatMap((each) => [...each.keys()]))].sort();
  const get = (name: string, wanted: string = language): Template | undefined =>
    (byLanguage.get(wanted)?.get(name) ?? byLanguage.get(FALLBACK_LANGUAGE)?.get(name))?.template;
  const all = names.flatMap((name) =>
    [...byLanguage.keys()].sort().flatMap((each) => byLanguage.get(each)?.get(name) ?? []),
  );
  return { templates: { get, names }, all, languages: [...byLanguage.keys()].sort(), problems };
}

interface LanguageFolders {
  readonly name: string;
  /** Those of the given folders that have it. */
  readonly places: readonly { readonly folder: string; readonly shown: string }[];
  readonly words: Words;
  readonly problems: readonly Problem[];
}

async function readLanguages(folders: readonly string[], root: string | undefined): Promise<LanguageFolders[]> {
  const places = new Map<string, { folder: string; shown: string }[]>();
  for (const folder of folders)
    for (const name of await subfolders(folder))
      places.set(name, [...(places.get(name) ?? []), { folder, shown: shownFolder(folder, root) }]);
  return await Promise.all(
    [...places].map(async ([name, where]) => {
      const read = await Promise.all(
        where.map(async ({ folder, shown }) => {
          const text = await readIfThere(path.join(folder, name, WORDS_FILE));
          return text === undefined ? undefined : parseWords(path.posix.join(shown, name, WORDS_FILE), text);
        }),
      );
      const words = new Words(read.flatMap((one) => one?.words ?? []));
      return { name, places: where, words, problems: read.flatMap((one) => one?.problems ?? []) };
    }),
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function shownFolder(folder: string, root: string | undefined): string {
  const shown = root === undefined ? folder : shownPath(folder, root);
  return path.isAbsolute(shown) ? path.basename(folder) : shown;
}

/** @param file as its author would write it, for problems @param words of the language */
export function parseTemplate(
  file: string,
  name: string,
  language: string,
  source: string,
  words: Words = ENGLISH_WORDS,
): { readonly template?: Template; readonly problems: readonly Problem[] } {
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n/g, '\n');
  const whole = (message: string, hint?: string): { problems: Problem[] } => ({
    problems: [
      { severity: 'error', place: placeAt(file, text, 0), message, ...(hint === undefined ? {} : { hint }) },
    ],
  });
  if (Buffer.byteLength(text) > MAX_BYTES) return whole(`the template is larger than ${MAX_BYTES / 1024} KiB`);
  const match = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n|$)/.exec(text);
  if (match === null)
    return whole('the template has no front matter', 'begin it with: ---, subject: "...", format: both, ---');
  // A comment in the place of the opening line keeps the lines where they are.
  const yaml = new YamlSource(file, `#\n${match[1] ?? ''}`);
  if (yaml.problems.length > 0) return { problems: yaml.problems };
  const head = frontMatter.safeParse(yaml.value ?? {});
  if (!head.success) return { problems: yaml.fromZod(head.error, frontMatter) };
  const { format } = head.data;
  const kind = head.data.kind ?? kindOf(name);
  // A text that is put into a message has none.
  if (head.data.subject === undefined && kind !== 'banner')
    return { problems: [yaml.error([], '`subject` is missing', 'write subject: "..." between the lines of ---')] };
  const subject = compileText(head.data.subject ?? '', kind, false);
  const start = match[0].length;
  const body = compileText(text.slice(start), kind, format !== 'text');
  const subjectStart = subjectOffset(match[0], head.data.subject ?? '');
  const placeInSubject = ({ offset }: TextProblem): Place =>
    subjectStart === undefined ? yaml.place(['subject']) : placeAt(file, text, subjectStart + offset);
  const problems = [
    ...subject.problems.map((each) => toProblem(each, placeInSubject(each))),
    ...body.problems.map((each) => toProblem(each, placeAt(file, text, start + each.offset))),
  ];
  const own = { source: text.slice(start), subjectSource: head.data.subject ?? '' };
  return fills(subject, body, (fill) => ({ name, language, kind, format, ...own, words, ...fill }), problems);
}

/** Where the subject stands in the front matter; undefined where YAML writes it in another way than it reads. */
function subjectOffset(front: string, subject: string): number | undefined {
  const key = /^subject[ \t]*:[ \t]*["']?/m.exec(front);
  if (key === null) return undefined;
  const start = key.index + key[0].length;
  return front.startsWith(subject, start) ? start : undefined;
}

function fills(
  subject: Compiled,
  body: Compiled,
  make: (fill: { readonly subject: Fill; readonly body: Fill }) => Template,
  problems: readonly Problem[],
): { readonly template?: Template; readonly problems: readonly Problem[] } {
  if (subject.fill === undefined || body.fill === undefined) return { problems };
  return { template: make({ subject: subject.fill, body: body.fill }), problems };
}

/** The kind of the shipped templates by their names; any other is one that rules name. */
function kindOf(name: string): TemplateKind {
  if (name.startsWith('dsn-')) return 'dsn';
  if (name.startsWith('notice-')) return 'notice';
  if (name.startsWith('events-')) return 'event';
  return name === 'summary' ? 'summary' : 'rule';
}

function toProblem({ severity, message, hint }: TextProblem, place: Place): Problem {
  return { severity, place, message, ...(hint === undefined ? {} : { hint }) };
}

function placeAt(file: string, text: string, offset: number): Place {
  return { file, ...placeInText(text, offset) };
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && /^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function templateFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith(EXTENSION) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}
