import { expect, it } from 'vitest';
import { bounceBar } from './bounce.js';

it.each([
  ['Example.ORG', 'a@example.org'],
  ['bücher.example', 'a@xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'a@Bücher.example'],
])('where %s is ours, a trusted client that writes from %s is internal', (domain, sender) => {
  const domains = ['other.example', domain];
  expect(bounceBar({ sender, trusted: true }, 'internal-only', domains)).toBeUndefined();
  expect(bounceBar({ sender, trusted: false }, 'internal-only', domains)).toBe('the sender is not internal');
  expect(bounceBar({ sender, trusted: true }, 'internal-only', ['other.example'])).toBe('the sender is not internal');
});
