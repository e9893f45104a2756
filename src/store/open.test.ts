import { describe, expect, it } from 'vitest';
import { maskUrl } from './open.js';

describe('the name of a database', () => {
  it('has no user, password or parameters', () => {
    expect(maskUrl('postgres://anna:geheim@db.example:5433/mail?sslmode=require&password=x')).toBe(
      'postgres://db.example:5433/mail',
    );
    expect(maskUrl('postgres:// broken geheim')).toBe('PostgreSQL');
  });
});
