import { expect, it } from 'vitest';
import { parseConfig } from './load.js';
import { ConfigError } from './problems.js';

async function problems(text: string): Promise<string> {
  try {
    await parseConfig(text, '/nowhere');
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

it.each([
  [
    'domains: ["example.org,example.com"]',
    '"example.org,example.com" is not a domain',
    '["example.org", "example.com"]',
  ],
  ['domains: ["*.example.org"]', '"*.example.org" is not a domain', 'subdomains have to be named one by one'],
  ['domains: ["@example.org"]', '"@example.org" is not a domain', 'did you mean example.org?'],
  ['domains: ["user@example.org"]', '"user@example.org" is not a domain', 'did you mean example.org?'],
  ['domains: [".example.org"]', '".example.org" is not a domain', 'did you mean example.org?'],
  ['domains: [""]', '"" is not a domain', 'write it as example.org'],
  ['domains: ["exa mple.org"]', '"exa mple.org" is not a domain', 'write it as example.org'],
  ['delivery: { routes: { "a.example,b.example": "smtp://h:25" } }', 'is not a domain', '["a.example", "b.example"]'],
  [
    'notifications: { general: ["a@b.example,c@d.example"] }',
    '`notifications.general',
    '["a@b.example", "c@d.example"]',
  ],
  ['notifications: { admins: foo }', '"foo" is not an address', 'write it as name@example.org'],
  [
    'notifications: { notices: { to: ["X <a@b.example>"] } }',
    'is not an address',
    'write the address alone: a@b.example',
  ],
  ['notifications: { events: { recipients: [{ to: a@@b.example }] } }', 'is not an address', 'write it as'],
  ['notifications: { from: "x y" }', '`notifications.from`: not an address', 'write it as'],
])('%s is refused', async (text, message, hint) => {
  const said = await problems(`${text}\n`);
  expect(said).toContain(message);
  expect(said).toContain(hint);
});

it.each([
  'domains: [example.org, BÜCHER.example, xn--bcher-kva.example, a_b.lan, localhost, "[192.0.2.1]"]',
  'delivery: { routes: { other.example: "smtp://h:25" } }',
  'notifications: { from: "Doe, J. <a@b.example>", general: [it@example.org], admins: "ö@bücher.example" }',
])('%s is taken', async (text) => {
  expect(await problems(`${text}\n`)).toBe('');
});
