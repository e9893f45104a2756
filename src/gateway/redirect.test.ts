import { expect, test } from 'vitest';
import { redirected } from './redirect.js';

const b = { address: 'b@example.org' };

test('what the recipient asked of DSNs holds for those in his place', () => {
  expect(
    redirected([{ ...b, notify: ['never'], orcpt: 'rfc822;b@example.org' }], ['x@example.org', 'y@example.org']),
  ).toEqual([
    { address: 'x@example.org', notify: ['never'], orcpt: 'rfc822;b@example.org' },
    { address: 'y@example.org', notify: ['never'], orcpt: 'rfc822;b@example.org' },
  ]);
  expect(redirected([b], ['x@example.org'])).toEqual([{ address: 'x@example.org' }]);
});

test('of several, each is told what he asked for, and nobody is named in the place of another', () => {
  const [one] = redirected(
    [
      { ...b, notify: ['never'], orcpt: 'rfc822;b@example.org' },
      { address: 'c@example.org', notify: ['success'] },
    ],
    ['x@example.org'],
  );
  expect(one).toEqual({ address: 'x@example.org', notify: ['success'] });
  const [other] = redirected([{ ...b, notify: ['success'] }, { address: 'c@example.org' }], ['x@example.org']);
  expect(other?.notify).toEqual(['success', 'failure', 'delay']);
  const [never] = redirected(
    [
      { ...b, notify: ['never'] },
      { address: 'c@example.org', notify: ['never'] },
    ],
    ['x@example.org'],
  );
  expect(never?.notify).toEqual(['never']);
});
