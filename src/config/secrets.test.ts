import { expect, test } from 'vitest';
import { maskLine, withoutPasswords, withoutSecrets } from './secrets.js';

test.each([
  ['queue: redis://user:s3cret@host:6379/0', 'queue: redis://***@host:6379/0'],
  ['queue: "redis://:s3c/re@t@host"', 'queue: "redis://***@host"'],
  [
    'queue: redis+sentinel://s1,s2/m?sentinelPassword=s3cret&x=1',
    'queue: redis+sentinel://s1,s2/m?sentinelPassword=***&x=1',
  ],
  ['nextHop: [smtp://u:s3cret@a:25, "smtp://b:25"]', 'nextHop: [smtp://***@a:25, "smtp://b:25"]'],
  ['  secret: s3cret, with a comma  # why', '  secret: ***  # why'],
  ['  - { url: "https://h/", secret: s3cret, kinds: [rule] }', '  - { url: "https://h/", secret: ***, kinds: [rule] }'],
  ["  - { secret: 's3''cret', kinds: [rule] }", '  - { secret: ***, kinds: [rule] }'],
  ['bind: { dn: "cn=x", password: "s3, \\" cret" }', 'bind: { dn: "cn=x", password: *** }'],
  ['"password": "s3cret"', '"password": ***'],
  ['password: 12345', 'password: ***'],
  ['bind: { password: [s3cret, s3], dn: x }', 'bind: { password: ***, dn: x }'],
  ['token: *s3cret', 'token: ***'],
  ['apiKey: s3cret', 'apiKey: ***'],
  ['password: ${LDAP_PASSWORD}', 'password: ${LDAP_PASSWORD}'],
  ['password: |', 'password: |'],
  ['to: [anna@example.org]  # smtp://b:25', 'to: [anna@example.org]  # smtp://b:25'],
  ['tls: { cert: a.pem, key: b.pem }', 'tls: { cert: a.pem, key: b.pem }'],
])('%s', (line, shown) => {
  expect(maskLine(line, 1).text).toBe(shown);
  expect(withoutSecrets(`it says ${line}`, maskLine(line, 1).secrets)).not.toMatch(/s3|12345/);
});

test('the place in a line moves with what is taken out before it', () => {
  const line = '- { secret: s3cret, kind: rule, url: smtp://u:p@h }';
  const under = (word: string): string => {
    const { text, column } = maskLine(line, line.indexOf(word) + 1);
    return text.slice(column - 1);
  };
  expect(under('secret')).toBe('secret: ***, kind: rule, url: smtp://***@h }');
  expect(under('cret,')).toBe('***, kind: rule, url: smtp://***@h }');
  expect(under('kind')).toBe('kind: rule, url: smtp://***@h }');
  expect(under('}')).toBe('}');
});

test('a line of megabytes is looked at around its place', () => {
  const line = `${'x'.repeat(100_000)} password: s3cret ${'{'.repeat(1_000_000)}`;
  expect(maskLine(line, 100_003).text).not.toContain('s3cret');
});

test('addresses in sentences', () => {
  expect(withoutPasswords('cannot reach smtp://a:b@h and rediss://:c@h')).toBe(
    'cannot reach smtp://***@h and rediss://***@h',
  );
});
