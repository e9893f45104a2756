import { describe, expect, it } from 'vitest';
import { isAddress, trialEnvelope } from './envelope.js';

describe('an address of a session that there never was', () => {
  it.each(['b@example.org', '"b"@example.org', '"joe smith"@example.org', '"a<b"@example.org', 'b_c@host_1'])(
    '%s is one',
    (text) => {
      expect(isAddress(text)).toBe(true);
    },
  );

  it.each([
    'b',
    'joe smith@example.org',
    '"joe smith"',
    '"joe smith"@',
    '"joe smith"@a b',
    '"a"b c"@example.org',
    'b@@example.org',
    'b@example.org,c@example.org',
  ])('%s is none', (text) => {
    expect(isAddress(text)).toBe(false);
  });

  it('stands in the envelope as a session would have taken it', () => {
    const recipients = ['<"b"@example.org>', 'b@example.org', '"joe\\ smith"@example.org'];
    const envelope = trialEnvelope({ sender: '<"\\a"@example.net>', recipients }, { trusted: [] });
    expect(envelope.sender).toBe('a@example.net');
    expect(envelope.recipients).toEqual([{ address: 'b@example.org' }, { address: '"joe smith"@example.org' }]);
  });
});
