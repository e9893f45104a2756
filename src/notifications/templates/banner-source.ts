import type { BannerSource } from '../../rules/model.js';
import type { RuleNotificationContext } from '../types.js';
import type { TemplateFormat, Templates } from './load.js';
import type { TemplateKind } from './macros.js';
import type { WordTable } from './words.js';

/** What banner-writer.ts is made with. Plain data: it is handed to the scanning threads. */
export interface BannerData {
  readonly texts: readonly {
    readonly name: string;
    readonly kind: TemplateKind;
    readonly format: TemplateFormat;
    /** The template behind its front matter. */
    readonly source: string;
    readonly words: readonly WordTable[];
  }[];
  readonly node: RuleNotificationContext['node'];
  readonly mydomain: string;
}

/** Names of the templates that can stand in a message: texts of their own, and any that a rule can name. */
export function bannerNames(templates: Templates): ReadonlySet<string> {
  return new Set(templates.names.filter((name) => ['banner', 'rule'].includes(templates.get(name)?.kind ?? '')));
}

/** Names of the templates that make a mail: a text to be put into one has no subject. */
export function mailNames(templates: Templates): ReadonlySet<string> {
  return new Set(templates.names.filter((name) => templates.get(name)?.kind !== 'banner'));
}

/** The texts of these names, with what fills them in. */
export function bannerSource(
  names: readonly string[],
  templates: Templates,
  site: Pick<BannerData, 'node' | 'mydomain'>,
): BannerSource {
  const data: BannerData = {
    texts: names.flatMap((name) => {
      const template = templates.get(name);
      return template === undefined
        ? []
        : [{ name, kind: template.kind, format: template.format, source: template.source, words: template.words.data }];
    }),
    node: site.node,
    mydomain: site.mydomain,
  };
  return { module: 'notifications/templates/banner-writer', data };
}
