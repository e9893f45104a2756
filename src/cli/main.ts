import { Command, CommanderError, Option } from 'commander';
import { inPlainWords } from '../config/file-error.js';
import { ConfigError } from '../config/problems.js';
import { each } from './each-value.js';
import type { EventsOptions } from './events.js';
import { EXIT, UsageError } from './exit.js';
import type { ExplainOptions } from './explain.js';
import type { NodesOptions } from './nodes.js';
import { addHelpCommands, checkCommandNames } from './help-command.js';
import { addNotificationCommands } from './notification-commands.js';
import type { QueueAction } from '../delivery/types.js';
import type { ReleaseOptions, ShowOptions } from './quarantine.js';
import type { ListOptions } from './quarantine-list.js';
import type { QueueListOptions } from './queue.js';
import type { QueueChangeOptions } from './queue-change.js';
import type { QueueShowOptions } from './queue-show.js';
import type { RulesOptions } from './rules.js';
import type { ReplayOptions } from './replay.js';
import type { StartOptions } from './start.js';
import type { StatusOptions } from './status.js';
import { addTemplateCommands } from './template-commands.js';
import { err, paint } from './terminal.js';
import type { TestOptions } from './test.js';
import { version } from './version.js';

/**
 * The command line. Each command's code is loaded when it is called, so that `--help` is immediate.
 * Exit status: 0 good, 1 the answer is no, 2 wrong use (README, Exit status).
 */
function program(): Command {
  const root = new Command('gatepost')
    .description('An SMTP relay that scans mail, decides by rules, and tells the people who need to know.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(run with --help for the usage)')
    .exitOverride();
  const config = configOption();

  root
    .command('start')
    .description('run the gateway')
    .addOption(config)
    .option(
      '--role <role...>',
      'what this process does: all (default), gateway (takes mail), worker (sends what is owed)',
    )
    .option('--last-good', 'when the present settings are broken, run on those that were last in force')
    .option('--json', 'log as JSON lines, also on a terminal')
    .action(async (options: StartOptions) => {
      await (await import('./start.js')).start(options);
    });
  root
    .command('check')
    .description(
      'check the configuration, rules, lists, templates and test cases: every mistake at once, with its place',
    )
    .addOption(config)
    .option('--json', 'problems as JSON')
    .action(async (options: { config?: string; json?: boolean }) => {
      await (await import('./check.js')).check(options);
    });
  root
    .command('explain')
    .description('run a message through the rules and say what would become of it, for each recipient; nothing is sent')
    .argument('<message>', 'an .eml file, or - for standard input')
    .requiredOption('--sender <address>', 'envelope sender; "" or "<>" for the null sender')
    .requiredOption('--recipient <address>', 'envelope recipient; may be given several times', each)
    .option('--client <ip>', 'address of the client', '192.0.2.1')
    .option('--helo <name>', 'name that the client gave', 'client.example')
    .option('--tls', 'the session is under TLS')
    .option('--authenticated [user]', 'the session has logged in')
    .option('--at <time>', 'when the message is received (ISO 8601; default: now)')
    .option('--render', 'show the notifications filled in')
    .addOption(config)
    .option('--json', 'the whole answer as JSON')
    .action(async (message: string, options: ExplainOptions) => {
      await (await import('./explain.js')).explain(message, options);
    });
  root
    .command('test')
    .description(
      'run test cases (rules/tests/*.yaml, or the named files) and say what they do not reach; nothing is sent',
    )
    .argument('[file...]', 'test files, or folders with them')
    .option('--only <text>', 'only cases with this text in their name; may be given several times', each)
    .option('--verbose', 'name the cases that pass, too')
    .addOption(config)
    .option('--json', 'results and coverage as JSON')
    .action(async (files: string[], options: TestOptions) => {
      await (await import('./test.js')).test(files, options);
    });
  root
    .command('replay')
    .description(
      'run stored mail (.eml files, mailboxes, Maildirs) through two rule sets and say what changes; nothing is sent',
    )
    .argument('<dir>', 'a folder with mail, or a mailbox file')
    .requiredOption('--against <rules>', 'the other rule set: a folder with rule files, or a gatepost.yaml')
    .option('--client <ip>', 'address of the client that all messages are taken to come from', '192.0.2.1')
    .option('--fail-on-change', 'exit status 1 when something changes')
    .option('--all', 'show all changes, not only the first 50')
    .addOption(config)
    .option('--json', 'the changes as JSON')
    .action(async (dir: string, options: ReplayOptions) => {
      await (await import('./replay.js')).replay(dir, options);
    });
  root
    .command('trace')
    .description('tell the story of one message: received, found, decided, delivered, notified')
    .argument('<id>', 'the unique ID, a Message-ID, also that of a notification, or the ID of a spooled item')
    .addOption(config)
    .option('--json', 'the whole story as JSON')
    .action(async (id: string, options: { config?: string; json?: boolean }) => {
      await (await import('./trace.js')).trace(id, options);
    });

  const queue = root.command('queue').description('mail that waits in the spool of this node');
  const select = (command: Command): Command =>
    command
      .option('--sender <mask>', 'envelope sender, such as "*@example.org"; "<>" for the null sender')
      .option('--recipient <mask>', 'a recipient that waits; may be given several times', each)
      .option('--hop <mask>', 'name of the next hop, as the list shows it')
      .option('--state <state>', 'waiting, held, or inspect (to be scanned again)')
      .option('--older-than <time>', 'spooled longer ago than this: 30m, 2h, 1d');
  select(queue.command('list').description('list what waits, oldest first'))
    .option('--held', 'only what is held')
    .option('--corrupt', 'damaged items that were set aside, in place of those that wait')
    .addOption(config)
    .option('--limit <n>', 'that many items, the oldest (default: 100)')
    .option('--after <id>', 'only items behind this one: the next page')
    .option('--all', 'all items')
    .option('--json', 'as JSON: all items unless --limit is given')
    .action(async (options: QueueListOptions) => {
      await (await import('./queue.js')).listQueue(options);
    });
  queue
    .command('show')
    .description(
      'show all copies of a message: envelope, recipients, attempts; damaged ones as far as they can be read',
    )
    .argument('<id>', 'the unique ID; ID.1 for one of several copies')
    .option('--raw', 'print the bytes of the message, and nothing else')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (id: string, options: QueueShowOptions) => {
      await (await import('./queue-show.js')).showQueue(id, options);
    });
  const change = (action: QueueAction, command: Command): void => {
    command
      .addOption(config)
      .option('--json', 'what was done with each item, as JSON')
      .action(async (ids: readonly string[], options: QueueChangeOptions) => {
        await (await import('./queue-change.js')).changeQueue(action, ids, options);
      });
  };
  const ofItems = (action: QueueAction, description: string): Command =>
    select(
      queue.command(action).description(description).argument('[id...]', 'IDs; ID.1 for one of several copies'),
    ).option('--all', 'all items');
  change('retry', ofItems('retry', 'try items now'));
  change(
    'drop',
    ofItems('drop', 'take items out of the spool for good; nobody is told unless --bounce')
      .option('--bounce', 'tell the senders by a DSN')
      .option('--yes', 'do not ask'),
  );
  change('hold', ofItems('hold', 'keep items without trying them or giving them up, until they are unheld'));
  change('unhold', ofItems('unhold', 'go on with items that are held'));
  change(
    'requeue',
    queue
      .command('requeue')
      .description(
        'put damaged items back that have been repaired in spool/corrupt; says what is wrong with the others',
      )
      .argument('<id...>', 'IDs, or names of files in spool/corrupt'),
  );

  const quarantine = root.command('quarantine').description('originals that rules have put aside');
  quarantine
    .command('list')
    .description('list the quarantine, newest first; texts may be masks such as "*@example.org"')
    .option('--id <id>', 'a message ID or its beginning')
    .option('--rule <id>', 'put aside by this rule')
    .option('--finding <name>', 'module, status or name of a finding, or the response: infected, "Eicar*", malware')
    .option('--sender <address>', 'envelope sender; "<>" for the null sender')
    .option('--recipient <address>', 'a recipient that it was kept for')
    .option('--since <time>', 'received at or after: 2d (ago), 2026-11-21, 2026-11-21T17:05:00Z')
    .option('--until <time>', 'received before')
    .addOption(config)
    .option('--limit <n>', 'that many items, the newest (default: 100)')
    .option('--all', 'all items')
    .option('--json', 'as JSON: all items unless --limit is given')
    .action(async (options: ListOptions) => {
      await (await import('./quarantine-list.js')).listQuarantine(options);
    });
  quarantine
    .command('show')
    .description('show one item: envelope, findings, why it was put aside, what became of it')
    .argument('<id>')
    .option('--raw', 'print the original bytes, and nothing else')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (id: string, options: ShowOptions) => {
      await (await import('./quarantine.js')).showQuarantine(id, options);
    });
  quarantine
    .command('release')
    .description('deliver the original to its recipients, without scanning it again')
    .argument('<id>')
    .option('--to <address>', 'to this one instead of the original recipients; may be given several times', each)
    .option('--again', 'also when it has been released before')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (id: string, options: ReleaseOptions) => {
      await (await import('./quarantine.js')).releaseQuarantine(id, options);
    });
  quarantine
    .command('delete')
    .description('delete originals for good')
    .argument('<id...>')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (ids: readonly string[], options: { config?: string; json?: boolean }) => {
      await (await import('./quarantine.js')).deleteQuarantine(ids, options);
    });

  root
    .command('rules')
    .description('list the rules in their order, with what they have done and when last')
    .option('--period <span>', 'counts of the last 7d or 30d, or the total', '30d')
    .option('--responses', "each rule's responses as well")
    .addOption(config)
    .option('--json', 'rules and responses with all counts as JSON')
    .action(async (options: RulesOptions) => {
      await (await import('./rules.js')).listRules(options);
    });

  root
    .command('events')
    .description('list application events: conditions of any node that hold, and that are over')
    .option('--all', 'also those of the last 90 days that are over')
    .option('--since <time>', 'also those that were over at or after this time (ISO 8601, or a span such as 2d)')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (options: EventsOptions) => {
      await (await import('./events.js')).events(options);
    });
  const nodes = root
    .command('nodes')
    .description('list the gateways and workers of the cluster, and which of them is the control node')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (options: NodesOptions) => {
      await (await import('./nodes.js')).listNodes(options);
    });
  nodes
    .command('remove')
    .description('forget a node that was lost and will not come back')
    .argument('<name>')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (name: string, _: NodesOptions, command: Command) => {
      await (await import('./nodes.js')).removeNode(name, command.optsWithGlobals<NodesOptions>());
    });
  nodes
    .command('control')
    .description('have a node be the control node whenever it runs; without a name the nodes settle it')
    .argument('[name]')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (name: string | undefined, _: NodesOptions, command: Command) => {
      await (await import('./nodes.js')).preferControl(name, command.optsWithGlobals<NodesOptions>());
    });

  addTemplateCommands(root, config);
  addNotificationCommands(root, config);

  root
    .command('status')
    .description('show how the gateway on this data folder stands; exit status 1 when none runs')
    .option('--watch', 'show it anew every two seconds')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (options: StatusOptions) => {
      await (await import('./status.js')).status(options);
    });

  const user = root.command('user').description('people who may log in (smtp.auth)');
  user
    .command('set')
    .description('add a user or set a new password; asks for it on a terminal, reads one line from a pipe')
    .argument('<name>')
    .addOption(config)
    .action(async (name: string, options: { config?: string }) => {
      await (await import('./user.js')).setUserPassword(name, options);
    });

  root
    .command('demo')
    .description('start a gateway in a temporary folder, send it about ten messages, and show what becomes of each')
    .option('--keep', 'go on running, and say how to send more')
    .action(async (options: { keep?: boolean }) => {
      await (await import('./demo.js')).demo(options);
    });
  addHelpCommands(root);
  return root;
}

/** An empty variable counts as none. */
function configOption(): Option {
  const option = new Option('--config <file>', 'configuration (default: gatepost.yaml in the working directory)');
  return process.env['GATEPOST_CONFIG'] === '' ? option : option.env('GATEPOST_CONFIG');
}

/** commander's own endings: help and version are good, everything else is wrong use. */
function statusOf(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT.good : EXIT.usage;
}

// Whoever reads what is printed may have had enough (`| head`), or the disk may be full that it goes to. A gateway goes
// on without either.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (process.argv[2] === 'start') return;
    if (error.code === 'EPIPE') process.exit();
    if (stream === process.stdout) err(`${paint('red', 'error:', process.stderr)} cannot print: ${error.message}`);
    process.exit(EXIT.no);
  });
try {
  const root = program();
  for (const command of [root, ...root.commands.flatMap((c) => [c, ...c.commands])]) command.exitOverride();
  checkCommandNames(root, process.argv.slice(2));
  await root.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = statusOf(error);
  else if (error instanceof UsageError) {
    err(`${paint('red', 'error:', process.stderr)} ${error.message}`);
    process.exitCode = EXIT.usage;
  } else if (error instanceof ConfigError) {
    err(error.message);
    process.exitCode = error.unread ? EXIT.usage : EXIT.no;
  } else {
    err(`${paint('red', 'error:', process.stderr)} ${inPlainWords(error)}`);
    if (process.env['GATEPOST_DEBUG'] !== undefined && error instanceof Error) err(error.stack ?? '');
    process.exitCode = EXIT.no;
  }
}
