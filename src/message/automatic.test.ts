import { expect, it } from 'vitest';
import { LIMITS, mail } from '../../test/message/mail.js';
import { automaticReason } from './automatic.js';
import { readMessage } from './read.js';

function reason(field: string, ownMark?: string): string | undefined {
  const message = readMessage(mail('From: a@b', field, '', ''), LIMITS);
  return automaticReason(message, { anomalies: [], received: 1, ...(ownMark === undefined ? {} : { ownMark }) });
}

it.each([
  'Auto-Submitted: auto-replied (vacation)',
  'Auto-Submitted: auto-generated; x=1',
  'Auto-Submitted: (no; (really\\)) no) auto-generated',
  'Precedence: BULK',
  'Precedence: list',
  'precedence: junk',
  'List-Id: <x.y>',
])('takes a message with %j as automatic', (field) => {
  expect(reason(field)).toBeTypeOf('string');
});

it.each([
  'Auto-Submitted: no',
  'Auto-Submitted: No (human)',
  'Auto-Submitted: (by hand) no; x',
  'Precedence: first-class',
  'X: y',
])('takes a message with %j as written by a person', (field) => {
  expect(reason(field)).toBeUndefined();
});

it('knows the own mark', () => {
  expect(reason('X: y', '01J')).toBeTypeOf('string');
});
