import type { Command, Option } from 'commander';
import { each } from './each-value.js';
import type { PreviewOptions, TemplateOptions } from './template.js';

/** `gatepost template`: looks at the templates of notifications. @param config the option that all commands share */
export function addTemplateCommands(root: Command, config: Option): void {
  const template = root
    .command('template')
    .description('the templates of notifications and banners, filled in or as written');
  template
    .command('list')
    .description('list the templates that are in use, in all languages')
    .option('--language <tag>', 'only those of this language, such as de')
    .addOption(config)
    .option('--json', 'as JSON, with their files')
    .action(async (options: TemplateOptions) => {
      await (await import('./template.js')).listTemplates(options);
    });
  template
    .command('show')
    .description('print a template as it was written')
    .argument('<name>', 'name of the template, without language and extension')
    .option('--language <tag>', 'in this language (default: notifications.language)')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (name: string, options: TemplateOptions) => {
      await (await import('./template.js')).showTemplate(name, options);
    });
  template
    .command('preview')
    .description(
      'fill a template in, with sample data or with those of a message; nothing is sent, no running gateway is needed',
    )
    .argument('<name>', 'name of the template, without language and extension')
    .option('--message <eml>', 'with this message, run through the rules as `explain` does')
    .option('--sender <address>', 'with --message: envelope sender (default: from its Return-Path or From)')
    .option(
      '--recipient <address>',
      'with --message: envelope recipient; may be given several times (default: from its To and Cc)',
      each,
    )
    .option('--id <id>', 'with the message of this unique ID, from the journal')
    .option('--language <tag>', 'in this language (default: notifications.language)')
    .option('--open', 'in the browser')
    .option('--html', 'only the HTML')
    .option('--text', 'only the text')
    .addOption(config)
    .option('--json', 'subject, text and HTML as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  gatepost template preview rule-general --open\n' +
        '  gatepost template preview rule-sender --language de --message suspicious.eml\n' +
        '  gatepost template preview dsn-failure --id 01KAJ3M9ZC5V0R8T2Y4W6X8Z0B',
    )
    .action(async (name: string, options: PreviewOptions) => {
      await (await import('./template.js')).previewTemplate(name, options);
    });
}
