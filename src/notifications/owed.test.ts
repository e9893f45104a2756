import { decodeTime } from 'ulid';
import { describe, expect, it } from 'vitest';
import { decision, envelope, fired, inspection, outcome, SETTINGS, target } from '../../test/notifications/support.js';
import { notificationId } from './identity.js';
import { owe, owedFor } from './owed.js';
import type { Fate } from './types.js';

const all = [target('general'), target('sender'), target('recipients'), target('additional')];
const spf = { module: 'authentication', status: 'spf', name: 'pass' };

describe('who is told', () => {
  it('all four groups, each by its own template', () => {
    const d = decision([fired(all)], { additional: ['soc@example.org'] });
    const seen = inspection([outcome('bob@example.org', d)], { findings: [spf] });
    const { notify, suppressed } = owe(seen, envelope(), SETTINGS);
    expect(notify.map((n) => [n.group, n.to, n.template])).toEqual([
      ['general', 'security@example.org', 'rule-general'],
      ['sender', 'alice@partner.example', 'rule-sender'],
      ['recipients', 'bob@example.org', 'rule-recipients'],
      ['additional', 'soc@example.org', 'rule-additional'],
    ]);
    expect(suppressed).toEqual([]);
  });

  it.each(['deliver', 'delete-attachment', 'defer', 'reject', 'discard'] as const)(
    'also when the action is %s',
    (action) => {
      const d = decision([fired([target('general')], { action: 'deliver' })], { action });
      expect(owe(inspection([outcome('bob@example.org', d)]), envelope(), SETTINGS).notify).toHaveLength(1);
    },
  );

  it('nobody when nothing fired or rules are switched off', () => {
    const quiet = inspection([outcome('bob@example.org', decision([]))]);
    expect(owe(quiet, envelope(), SETTINGS)).toEqual({ notify: [], suppressed: [] });
    const loud = inspection([outcome('bob@example.org', decision([fired(all)]))]);
    expect(owe(loud, envelope(), { ...SETTINGS, enabled: false })).toEqual({ notify: [], suppressed: [] });
  });

  it('only the recipients of the decision that fired', () => {
    const hit = decision([fired([target('recipients'), target('general')])]);
    const clean = decision([], { rule: 'other', action: 'deliver', quarantine: false });
    const seen = inspection([
      outcome('bob@example.org', hit),
      outcome('carol@example.org', clean),
      outcome('dan@example.org', hit),
    ]);
    const recipients = ['bob', 'carol', 'dan'].map((name) => ({ address: `${name}@example.org` }));
    const { notify } = owe(seen, envelope({ recipients }), SETTINGS);
    expect(notify.map((n) => n.to)).toEqual(['security@example.org', 'bob@example.org', 'dan@example.org']);
    expect(notify[0]?.context).toMatchObject({
      affectedRecipients: ['bob@example.org', 'dan@example.org'],
      allRecipients: ['bob@example.org', 'carol@example.org', 'dan@example.org'],
      action: 'rejected',
    });
  });
});

describe('where a copy did not become what the rule said', () => {
  const d = decision([fired(all)], { action: 'deliver' });
  const seen = inspection([outcome('bob@example.org', d), outcome('carol@example.org', d)], { findings: [spf] });
  const recipients = [{ address: 'bob@example.org' }, { address: 'carol@example.org' }];
  const actions = (fates: [string, Fate][]): string[][] =>
    owe(seen, envelope({ recipients }), SETTINGS, { fates: new Map(fates) }).notify.map((n) => [
      n.to,
      n.context.action,
    ]);

  it('that is told, to a recipient only what became of the own copy', () => {
    const both = 'rejected for bob@example.org; delivered for carol@example.org';
    expect(actions([['bob@example.org', { action: 'reject' }]])).toEqual([
      ['security@example.org', both],
      ['alice@partner.example', both],
      ['bob@example.org', 'rejected'],
      ['carol@example.org', 'delivered'],
    ]);
  });

  it('a recipient whom the next hop does not know is not told', () => {
    const fates = new Map<string, Fate>([['bob@example.org', { action: 'reject', unknown: true }]]);
    const { notify, suppressed } = owe(seen, envelope({ recipients }), SETTINGS, { fates });
    expect(notify.map(({ to }) => to)).not.toContain('bob@example.org');
    expect(suppressed).toMatchObject([{ to: 'bob@example.org', reason: 'the next hop knows no such recipient' }]);
  });

  it('no quarantine is claimed of what could not be put aside', () => {
    const kept = decision([fired([target('general')])], { action: 'reject', quarantine: true });
    const fates = new Map<string, Fate>([['bob@example.org', { action: 'defer' }]]);
    const { notify } = owe(inspection([outcome('bob@example.org', kept)]), envelope(), SETTINGS, { fates });
    expect(notify[0]?.context).toMatchObject({ action: 'deferred', quarantined: false });
  });
});

it.each([
  ['deliver', ['carol@example.org'], 'redirected'],
  ['delete-attachment', ['carol@example.org'], 'redirected without the attachment'],
  ['deliver', ['carol@example.org', 'BOB@example.org'], 'delivered'],
] as const)('%s, to %j instead of bob, is told as %s', (action, redirect, told) => {
  const d = decision([fired([target('recipients')])], { action, redirect });
  const { notify } = owe(inspection([outcome('bob@example.org', d)]), envelope(), SETTINGS);
  expect(notify.map(({ context }) => context.action)).toEqual([told]);
});

describe('once', () => {
  it('the same template, address (in lower case) and message is one mail that names all', () => {
    const one = decision([fired([target('general')])]);
    const other = decision(
      [
        fired([target('general')], {
          key: 'content.exe',
          name: 'Program files',
          findings: [{ module: 'content', status: 'match', name: 'exe', object: 'a.exe' }],
        }),
      ],
      { rule: 'staff', ruleName: 'Staff', action: 'delete-attachment', quarantine: false },
    );
    const seen = inspection([outcome('bob@example.org', one), outcome('carol@example.org', other)]);
    const settings = { ...SETTINGS, general: ['Security@example.org', 'security@EXAMPLE.org'] };
    const { notify } = owe(seen, envelope(), settings);
    expect(notify).toHaveLength(1);
    expect(notify[0]).toMatchObject({
      id: notificationId(seen.traceId, 'rule-general', 'security@example.org'),
      to: 'Security@example.org',
      rule: 'inbound',
      context: {
        rules: [
          { id: 'inbound', name: 'Inbound mail' },
          { id: 'staff', name: 'Staff' },
        ],
        action: 'rejected for bob@example.org; delivered without the attachment for carol@example.org',
        quarantined: true,
        objects: [
          { name: 'invoice.zip/setup.exe', status: 'infected', threat: 'Eicar-Test' },
          { name: 'a.exe', status: 'Program files', threat: '' },
        ],
      },
    });
  });

  it('another template is another mail, and the strongest attachment wins', () => {
    const d = decision([
      fired([target('general', 'mine', 'headers')]),
      fired([target('general', 'mine', 'original'), target('general', 'other')]),
    ]);
    const { notify } = owe(inspection([outcome('bob@example.org', d)]), envelope(), SETTINGS);
    expect(notify.map((n) => [n.template, n.attach])).toEqual([
      ['mine', 'original'],
      ['other', 'none'],
    ]);
  });

  it('an address that is told as one group is not recorded as suppressed for another', () => {
    const d = decision([fired([target('general', 'same'), target('sender', 'same')])]);
    const settings = { ...SETTINGS, general: ['alice@partner.example'] };
    const owed = owe(inspection([outcome('bob@example.org', d)]), envelope(), settings);
    expect(owed.notify).toHaveLength(1);
    expect(owed.suppressed).toEqual([]);
  });
});

describe('what is suppressed has a reason', () => {
  it('the null sender is shown as <>', () => {
    const d = decision([fired(all)]);
    const { notify, suppressed } = owe(inspection([outcome('bob@example.org', d)]), envelope({ sender: '' }), SETTINGS);
    expect(notify.map((n) => n.group)).toEqual(['general', 'recipients']);
    expect(suppressed).toMatchObject([{ group: 'sender', to: '<>' }]);
    expect(suppressed[0]?.reason).toContain('null sender');
  });

  it('an own mark in what arrived', () => {
    const d = decision([fired([target('sender')])]);
    const intake = { anomalies: [], received: 1, ownMark: 'x' };
    const owed = owe(inspection([outcome('bob@example.org', d)]), envelope({ sender: 'a@example.org' }), SETTINGS, {
      intake,
    });
    expect(owed.notify).toEqual([]);
    expect(owed.suppressed[0]?.reason).toContain('mark');
  });
});

describe('identity', () => {
  it('is stable, differs by each part, and can be a job ID', () => {
    const { traceId } = inspection([]);
    const id = notificationId(traceId, 'rule-general', 'A@b.example');
    expect(id).toBe(notificationId(traceId, 'rule-general', 'a@B.EXAMPLE'));
    expect(id).toMatch(/^n[0-9a-f]{39}$/);
    expect(notificationId(traceId, 'rule-sender', 'a@b.example')).not.toBe(id);
    expect(notificationId(inspection([]).traceId, 'rule-general', 'a@b.example')).not.toBe(id);
  });
});

describe('the context', () => {
  it('lists a bounded number of objects and counts the rest', () => {
    const findings = Array.from({ length: 120 }, (_, i) => ({
      module: 'content',
      status: 'macro',
      object: `${i}.docm`,
    }));
    const d = decision([fired([target('general')], { findings })]);
    const [mail] = owe(inspection([outcome('bob@example.org', d)]), envelope(), SETTINGS).notify;
    expect(mail?.context.objects).toHaveLength(50);
    expect(mail?.context.objectsOmitted).toBe(70);
  });

  it('takes the time of the trace ID when no other is known', () => {
    const d = decision([fired([target('general')])]);
    const seen = inspection([outcome('bob@example.org', d)]);
    const [mail] = owe(seen, envelope(), SETTINGS).notify;
    expect(mail?.context.date).toBe(decodeTime(seen.traceId));
    expect(owe(seen, envelope(), SETTINGS, { receivedAt: 5 }).notify[0]?.context.date).toBe(5);
  });
});

it('explain sees what one recipient owes, by group', () => {
  const hit = decision([fired([target('general'), target('sender')])], { additional: [] });
  const clean = decision([], { rule: 'other', action: 'deliver' });
  const seen = inspection([outcome('bob@example.org', hit), outcome('carol@example.org', clean)]);
  const settings = { ...SETTINGS, general: ['a@example.org', 'b@example.org'] };
  expect(owedFor('bob@example.org', seen, envelope(), settings)).toEqual({
    notify: [{ group: 'general', to: ['a@example.org', 'b@example.org'], template: 'rule-general' }],
    suppressed: [
      {
        group: 'sender',
        to: ['alice@partner.example'],
        template: 'rule-sender',
        reason:
          'neither SPF, DKIM nor DMARC passed for the domain of the sender (notifications.external: authenticated)',
      },
    ],
  });
  expect(owedFor('carol@example.org', seen, envelope(), settings)).toEqual({ notify: [], suppressed: [] });
});
