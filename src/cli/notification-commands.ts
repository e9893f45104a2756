import type { Command, Option } from 'commander';
import type { NotificationListOptions } from './notifications.js';
import type { RetryOptions } from './notifications-retry.js';
import type { NotifyTestOptions } from './notify-test.js';

/** `gatepost notifications` and `gatepost notify-test`. @param config the option that all commands share */
export function addNotificationCommands(root: Command, config: Option): void {
  const notifications = root.command('notifications').description('the ledger of notifications: what became of each');
  notifications
    .command('list')
    .description('list notifications, newest first')
    .option('--state <state>', 'queued, sent, folded, suppressed or failed')
    .option('--kind <kind>', 'rule, dsn, notice, event or summary')
    .option('--to <address>', 'to this address or webhook; may be a mask such as "*@example.org"')
    .option('--trace-id <id>', 'about the message of this unique ID')
    .option('--summary <id>', 'folded, and told of in the summary of this ID')
    .option('--since <time>', 'from this time on: 2d (ago), 2026-11-21, 2026-11-21T17:05:00Z')
    .option('--after <id>', 'those behind this notification in the list')
    .option('--limit <n>', 'that many, the newest (default: 100)')
    .addOption(config)
    .option('--json', 'as JSON: up to 10,000 unless --limit is given')
    .action(async (options: NotificationListOptions) => {
      await (await import('./notifications.js')).listNotifications(options);
    });
  notifications
    .command('show')
    .description("show one notification: its state, attempts, the server's answer, when it is tried next")
    .argument('<id>', 'ID of the notification, or its Message-ID')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (id: string, options: { config?: string; json?: boolean }) => {
      await (await import('./notifications.js')).showNotification(id, options);
    });
  notifications
    .command('retry')
    .description('try failed notifications again, and waiting ones at once; any worker does it, within seconds')
    .argument('<id...>', 'IDs of notifications, or their Message-IDs')
    .option('--again', 'also those that were sent: their readers get them twice')
    .addOption(config)
    .option('--json', 'what was done with each, as JSON')
    .action(async (ids: readonly string[], options: RetryOptions) => {
      await (await import('./notifications-retry.js')).retryNotifications(ids, options);
    });
  root
    .command('notify-test')
    .description('send one notification with made-up data by the configured server, and show the SMTP dialogue')
    .argument('[address]', 'who gets it')
    .option('--kind <kind>', 'rule (default), notice, event, dsn or summary')
    .option('--template <name>', 'by this template (default: that of the kind)')
    .option('--language <tag>', 'in this language (default: notifications.language)')
    .option('--webhooks', 'post a test to each webhook')
    .addOption(config)
    .option('--json', 'as JSON')
    .action(async (address: string | undefined, options: NotifyTestOptions) => {
      await (await import('./notify-test.js')).notifyTest(address, options);
    });
}
