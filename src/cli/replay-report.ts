import type { Change } from '../gateway/trial/change.js';
import type { Replayed } from '../gateway/trial/replay.js';
import { jsonText, out, paint, printable, table } from './terminal.js';

/** How many are shown of what there may be many of. */
const SHOWN = 50;

/** Takes the results of a replay in order, and tells them. What it keeps is bounded. */
export interface ReplayReport {
  replayed(one: Replayed): void;
  /** A file that is no mail. */
  ignored(name: string): void;
  end(): void;
}

/** One object; `changed` is written as it comes, so that it may be as long as it likes. */
export function jsonReport(write: (text: string) => void = (text) => process.stdout.write(text)): ReplayReport {
  const unreadable: { message: string; reason: string }[] = [];
  let messages = 0;
  let unreadableCount = 0;
  let ignored = 0;
  let first = true;
  write('{\n  "changed": [');
  return {
    replayed({ mail, changes, problem }) {
      if (problem !== undefined) {
        unreadableCount += 1;
        if (unreadable.length < 1000) unreadable.push({ message: mail.name, reason: problem });
        return;
      }
      messages += 1;
      for (const change of changes) {
        write(`${first ? '' : ','}\n    ${jsonText(change, 0)}`);
        first = false;
      }
    },
    ignored: () => (ignored += 1),
    end() {
      const rest = jsonText({ messages, unreadable, unreadableCount, ignoredFiles: ignored });
      write(`${first ? '' : '\n  '}],${rest.slice(1)}\n`);
    },
  };
}

interface Transition {
  readonly before: string;
  readonly after: string;
  count: number;
}

/** The changed messages (the first of them, or all), what could not be read, and a table of what becomes what. */
export function textReport(all: boolean): ReplayReport {
  const transitions = new Map<string, Transition>();
  const unreadable: string[] = [];
  const totals = { messages: 0, recipients: 0, changedMessages: 0, changes: 0, unreadable: 0, ignored: 0 };
  return {
    replayed({ mail, recipients, changes, problem }) {
      if (problem !== undefined) {
        totals.unreadable += 1;
        if (unreadable.length < SHOWN) unreadable.push(`${mail.name}: ${problem}`);
        return;
      }
      totals.messages += 1;
      totals.recipients += recipients;
      if (changes.length > 0) totals.changedMessages += 1;
      for (const change of changes) {
        totals.changes += 1;
        count(transitions, change);
        if (all || totals.changes <= SHOWN) printChange(change);
      }
    },
    ignored: () => (totals.ignored += 1),
    end() {
      if (!all && totals.changes > SHOWN) out(`... and ${totals.changes - SHOWN} more (--all shows them)`);
      if (totals.changes > 0) out();
      for (const text of unreadable) out(`${paint('yellow', 'not compared')}  ${printable(text)}`);
      if (totals.unreadable > unreadable.length) out(`... and ${totals.unreadable - unreadable.length} more`);
      if (unreadable.length > 0) out();
      printSummary(transitions, totals);
    },
  };
}

function printChange({ message, recipient, before, after, differs, reason }: Change): void {
  out(`${paint('bold', printable(message))}  ${printable(recipient)}`);
  for (const key of differs) {
    const was = shown(before[key as keyof typeof before]);
    const is = shown(after[key as keyof typeof after]);
    out(`  ${key.padEnd(10)}  ${paint('red', was)} -> ${paint('green', is)}`);
  }
  out(`  ${'because'.padEnd(10)}  ${printable(reason)}`);
}

function shown(value: Change['before'][keyof Change['before']]): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if ('code' in value) return `${value.code} ${value.enhanced} ${value.text}`;
  if (!Array.isArray(value)) return JSON.stringify(value);
  if (value.length === 0) return 'none';
  return value
    .map((one: unknown) => {
      if (typeof one === 'object' && one !== null && 'group' in one) return String(one.group);
      return String(one);
    })
    .join(', ');
}

function count(transitions: Map<string, Transition>, { before, after }: Change): void {
  const was = `${before.rule}: ${before.action}`;
  const is = `${after.rule}: ${after.action}`;
  const key = `${was}\n${is}`;
  const known = transitions.get(key) ?? { before: was, after: is, count: 0 };
  known.count += 1;
  transitions.set(key, known);
}

function printSummary(
  transitions: ReadonlyMap<string, Transition>,
  totals: Readonly<
    Record<'messages' | 'recipients' | 'changedMessages' | 'changes' | 'unreadable' | 'ignored', number>
  >,
): void {
  const rows = [...transitions.values()].sort((a, b) => b.count - a.count);
  if (rows.length > 0) {
    out(
      table(rows.slice(0, SHOWN), [
        { title: 'recipients', value: (row) => String(row.count), right: true },
        { title: 'now', value: (row) => row.before },
        { title: 'with the other rules', value: (row) => row.after },
      ]),
    );
    out();
  }
  const rest = [
    ...(totals.unreadable > 0 ? [`${totals.unreadable} not compared`] : []),
    ...(totals.ignored > 0 ? [`${totals.ignored} other files passed over`] : []),
  ];
  out(
    `${totals.messages} messages to ${totals.recipients} recipients: ${
      totals.changes === 0
        ? totals.messages === 0
          ? paint('yellow', 'nothing was compared')
          : paint('green', 'nothing changes')
        : paint('yellow', `${totals.changedMessages} messages change, for ${totals.changes} recipients`)
    }${rest.length === 0 ? '' : `; ${rest.join(', ')}`}.`,
  );
}
