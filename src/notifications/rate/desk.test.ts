import { expect, it } from 'vitest';
import type { Recorded } from '../../store/sending-types.js';
import type { LedgerEntry } from '../../store/types.js';
import { SendingDesk } from './desk.js';

const ENTRY: LedgerEntry = {
  id: 'one',
  kind: 'rule',
  group: 'general',
  to: 'general@example.org',
  template: 'content',
  state: 'queued',
  attempts: 0,
  messageId: '<one@example.org>',
  time: new Date('2026-11-22T10:00:00Z'),
};

it.each([
  ['sent, and owed once more', { state: 'sent', attempts: 1 }, {}, 'sent'],
  ['owed once more, and sent', {}, { state: 'sent', attempts: 1 }, 'sent'],
  ['refused, and then tried', { state: 'failed', attempts: 2 }, { attempts: 3 }, 'failed'],
  ['tried, and owed once more', { attempts: 2, lastReply: '451 later' }, {}, '451 later'],
  ['tried twice', { attempts: 1, lastReply: '451 one' }, { attempts: 2, lastReply: '451 two' }, '451 two'],
] as const)(
  'what is written of a mail in the same moment is what says most: %s',
  async (_, first, second, expected) => {
    const written: Recorded[] = [];
    const desk = new SendingDesk(
      {
        admit: () => Promise.resolve([]),
        record: (outcomes) => Promise.resolve(void written.push(...outcomes)),
      },
      () => ({ now: 0, interval: 0 }),
    );
    await Promise.all([first, second].map(async (part) => await desk.record({ entry: { ...ENTRY, ...part } })));
    expect(written.map(({ entry }) => (entry.state === 'queued' ? entry.lastReply : entry.state))).toEqual([expected]);
  },
);
