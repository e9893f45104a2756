import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig, type Config } from '../config/load.js';
import { nearest } from '../config/suggest.js';
import { templateFolders } from '../gateway/setup.js';
import { withId } from '../notifications/compose.js';
import { oweSettings } from '../notifications/settings.js';
import { htmlToText } from '../notifications/templates/html-text.js';
import { loadTemplates, type FoundTemplate, type LoadedTemplates } from '../notifications/templates/load.js';
import { renderTemplate, type RenderedMail, type TemplateContext } from '../notifications/templates/render.js';
import { contextOfKind } from '../notifications/templates/samples.js';
import { siteOf } from '../notifications/templates/site.js';
import { EXIT, UsageError } from './exit.js';
import { openInBrowser } from './open-in-browser.js';
import { contextOfFile, contextOfId, type RealData } from './template-data.js';
import { err, json, out, paint, table } from './terminal.js';

export interface TemplateOptions {
  readonly language?: string;
  readonly config?: string;
  readonly json?: boolean;
}

export interface PreviewOptions extends TemplateOptions {
  readonly message?: string;
  readonly id?: string;
  readonly sender?: string;
  readonly recipient?: readonly string[];
  readonly html?: boolean;
  readonly text?: boolean;
  readonly open?: boolean;
}

/** `gatepost template list`: all that are in use, in all languages; an own one hides the shipped one of its name. */
export async function listTemplates(options: TemplateOptions): Promise<void> {
  const { config, loaded } = await load(options);
  const { language } = options;
  if (language !== undefined) checkLanguage(language, loaded);
  const shown = loaded.all.filter(({ template }) => language === undefined || template.language === language);
  if (options.json === true) {
    json(shown.map((one) => ({ ...about(one, config), file: one.file })));
    return;
  }
  out(
    table(
      shown.map((one) => about(one, config)),
      [
        { title: 'name', value: (t) => t.name },
        { title: 'language', value: (t) => t.language },
        { title: 'kind', value: (t) => t.kind },
        { title: 'format', value: (t) => t.format },
        { title: 'origin', value: (t) => t.origin },
        { title: 'subject', value: (t) => t.subject ?? '(none: it is put into messages)', max: 90 },
      ],
    ),
  );
}

/** `gatepost template show`: the template as it was written. */
export async function showTemplate(name: string, options: TemplateOptions): Promise<void> {
  const { config, loaded } = await load(options);
  const found = find(name, loaded, config, options.language);
  const { template, file } = found;
  if (options.json === true) {
    json({ ...about(found, config), file, source: template.source });
    return;
  }
  err(paint('dim', `${file} (${about(found, config).origin})`, process.stderr));
  process.stdout.write(await readFile(file, 'utf8'));
}

/**
 * `gatepost template preview`: a template filled in, with sample data or with that of a message. Nothing is sent, and no
 * running gateway is needed.
 */
export async function previewTemplate(name: string, options: PreviewOptions): Promise<void> {
  if (options.message !== undefined && options.id !== undefined)
    throw new UsageError('--message and --id cannot be given together: each names a message');
  const chosen = [options.html, options.text, options.json].filter((flag) => flag === true);
  if (chosen.length > 1) throw new UsageError('--html, --text and --json cannot be given together');
  const { config, loaded } = await load(options);
  const { template } = find(name, loaded, config, options.language);
  const data = await dataFor(template, config, options);
  if (data === undefined) {
    err(`No message with the ID ${options.id ?? ''} is in the journal.`);
    process.exitCode = EXIT.no;
    return;
  }
  for (const note of data.notes) err(`${paint('yellow', 'note:', process.stderr)} ${note}`);
  const rendered = renderTemplate(template, data.context, siteOf(config));
  const id = idOf(data.context);
  const mail =
    id === undefined || template.kind === 'banner' ? rendered : withId(rendered, id, config.notifications.messageId);
  if (options.open === true) await open(name, mail);
  else print(mail, { ...about({ template }, config), name }, options);
}

function print(
  { subject, text, html }: RenderedMail,
  {
    name,
    language,
    kind,
    format,
  }: { readonly name: string; readonly language: string; readonly kind: string; readonly format: string },
  options: PreviewOptions,
): void {
  const plain = text ?? htmlToText(html ?? '');
  if (options.json === true)
    json({
      name,
      language,
      kind,
      format,
      subject: kind === 'banner' ? null : subject,
      text: text ?? null,
      html: html ?? null,
    });
  else if (options.html === true) {
    if (html === undefined) throw new UsageError(`\`${name}\` has no HTML: its format is text`);
    out(html.trimEnd());
  } else if (options.text === true) out(plain.trimEnd());
  else {
    if (kind !== 'banner') out(`${paint('bold', 'Subject:')} ${subject}\n`);
    out(plain.trimEnd());
  }
}

async function open(name: string, { subject, text = '', html }: RenderedMail): Promise<void> {
  const { file, opened } = await openInBrowser(`${name}.html`, html ?? asPage(subject, text));
  out(opened ? `Opened ${file}` : `No browser could be started. The preview is in ${file}`);
}

/** A mail of plain text, as a page. */
function asPage(subject: string, text: string): string {
  const escaped = (raw: string): string => raw.replace(/[&<>"]/g, (char) => `&#${String(char.charCodeAt(0))};`);
  return (
    `<!doctype html>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n` +
    `<meta name="color-scheme" content="light dark">\n<title>${escaped(subject)}</title>\n` +
    `<pre style="font:15px/1.5 monospace;white-space:pre-wrap;overflow-wrap:anywhere;max-width:45em;margin:16px auto">${escaped(text)}</pre>\n`
  );
}

async function dataFor(
  template: FoundTemplate['template'],
  config: Config,
  options: PreviewOptions,
): Promise<RealData | undefined> {
  const { message, id } = options;
  const { node } = oweSettings(config);
  if ((options.sender !== undefined || options.recipient !== undefined) && message === undefined)
    throw new UsageError('--sender and --recipient belong to --message');
  if (message === undefined && id === undefined) return { context: contextOfKind(template, node), notes: [] };
  if (template.kind === 'event' || template.kind === 'summary')
    throw new UsageError(
      `\`${template.name}\` is not about one message: preview it without ${message === undefined ? '--id' : '--message'}`,
    );
  if (message !== undefined) return await contextOfFile(template, message, options);
  return await contextOfId(template, id ?? '', config);
}

function idOf(context: TemplateContext): string | undefined {
  if (!('kind' in context)) return context.messageId;
  return context.kind === 'dsn' || context.kind === 'notice' ? context.messageId : undefined;
}

async function load(options: TemplateOptions): Promise<{ readonly config: Config; readonly loaded: LoadedTemplates }> {
  const { config } = await loadConfig(options.config);
  const loaded = await loadTemplates(templateFolders(config), config.notifications.language, config.folder);
  const errors = loaded.problems.filter(({ severity }) => severity === 'error').length;
  if (errors > 0)
    err(
      `${paint('yellow', 'note:', process.stderr)} ${errors === 1 ? 'one error' : `${String(errors)} errors`} in templates: ` +
        'those are left out here; `gatepost check` shows them',
    );
  return { config, loaded };
}

/** @throws UsageError for a name or language that is not there */
function find(name: string, loaded: LoadedTemplates, config: Config, language: string | undefined): FoundTemplate {
  if (language !== undefined) checkLanguage(language, loaded);
  const template = loaded.templates.get(name, language);
  const found = loaded.all.find((one) => one.template === template);
  if (found === undefined) {
    const meant = nearest(name, loaded.templates.names);
    throw new UsageError(
      `there is no template \`${name}\`${meant === undefined ? '; `gatepost template list` shows all' : `; did you mean \`${meant}\`?`}`,
    );
  }
  const wanted = language ?? config.notifications.language;
  if (found.template.language !== wanted)
    err(
      `${paint('yellow', 'note:', process.stderr)} \`${name}\` is not there in "${wanted}": this is "${found.template.language}"`,
    );
  return found;
}

function checkLanguage(language: string, { languages }: LoadedTemplates): void {
  if (languages.includes(language)) return;
  const meant = nearest(language, languages);
  throw new UsageError(
    `there are no templates in the language "${language}"; ${meant === undefined ? `there are ${languages.join(', ')}` : `did you mean "${meant}"?`}`,
  );
}

interface About {
  readonly name: string;
  readonly language: string;
  readonly kind: string;
  readonly format: string;
  readonly origin: 'own' | 'shipped';
  readonly subject: string | null;
}

function about({ template, folder }: Pick<FoundTemplate, 'template'> & Partial<FoundTemplate>, config: Config): About {
  const { name, language, kind, format, subjectSource } = template;
  const own =
    config.templates !== undefined && folder !== undefined && path.resolve(folder) === path.resolve(config.templates);
  return {
    name,
    language,
    kind,
    format,
    origin: own ? 'own' : 'shipped',
    subject: subjectSource === '' ? null : subjectSource,
  };
}
