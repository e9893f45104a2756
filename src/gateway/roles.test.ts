import { expect, it } from 'vitest';
import { parseRoles, requireShared, RoleError } from './roles.js';

it('roles are named once, several times, or with commas between them; all is the default', () => {
  expect(parseRoles(undefined)).toEqual(['gateway', 'worker']);
  expect(parseRoles(['all'])).toEqual(['gateway', 'worker']);
  expect(parseRoles(['worker', 'gateway'])).toEqual(['gateway', 'worker']);
  expect(parseRoles(['gateway, worker'])).toEqual(['gateway', 'worker']);
  expect(parseRoles(['worker'])).toEqual(['worker']);
  expect(() => parseRoles(['relay'])).toThrow('--role relay: there are the roles all, gateway and worker');
  expect(() => parseRoles([''])).toThrow(RoleError);
});

it('a lone role needs a store that others can reach, and says what to set', () => {
  for (const role of ['gateway', 'worker'] as const) {
    expect(() => requireShared([role], { store: 'embedded' })).toThrow(/Set `store: postgres:/);
    expect(() => requireShared([role], { store: 'postgres://db/gatepost' })).not.toThrow();
  }
  expect(() => requireShared(['gateway', 'worker'], { store: 'embedded' })).not.toThrow();
});
