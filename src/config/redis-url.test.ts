import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-url.js';

describe('addresses of Redis', () => {
  it('a single server: standard port, database, user, password, prefix', () => {
    expect(parseRedisUrl('redis://cache.example')).toEqual({
      kind: 'single',
      hosts: [{ host: 'cache.example', port: 6379 }],
      database: 0,
      prefix: 'gatepost',
      tls: false,
      name: 'redis://cache.example',
    });
    expect(parseRedisUrl('rediss://mail:p%40ss:w%2Frd@[::1]:6380/3?prefix=mx1&ca=./ca.pem')).toEqual({
      kind: 'single',
      hosts: [{ host: '::1', port: 6380 }],
      username: 'mail',
      password: 'p@ss:w/rd',
      database: 3,
      prefix: 'mx1',
      tls: true,
      ca: './ca.pem',
      name: 'rediss://[::1]:6380/3',
    });
    expect(parseRedisUrl('redis://:secret@h')).toMatchObject({ password: 'secret' });
    expect(parseRedisUrl('redis://:secret@h')).not.toHaveProperty('username');
  });

  it('Sentinels with their group, and a cluster whose keys have a hash tag', () => {
    expect(parseRedisUrl('redis+sentinel://:pw@s1,s2:26380/mymaster/2?sentinelPassword=other')).toMatchObject({
      kind: 'sentinel',
      hosts: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
      group: 'mymaster',
      database: 2,
      password: 'pw',
      sentinelPassword: 'other',
    });
    expect(parseRedisUrl('rediss+cluster://a:7000,b:7000')).toMatchObject({
      kind: 'cluster',
      prefix: '{gatepost}',
      tls: true,
    });
    expect(parseRedisUrl('redis+cluster://a?prefix={mx}:1')).toMatchObject({ prefix: '{mx}:1' });
  });

  it.each([
    ['http://h', 'not an address'],
    ['redis://', 'not an address'],
    ['redis://a,b', 'several hosts'],
    ['redis://h:99999', 'does not name hosts'],
    ['redis://h/x', 'number of a database'],
    ['redis+sentinel://h', 'name of the group'],
    ['redis+cluster://h/1', 'only database 0'],
    ['redis://h?db=1', 'no parameter "db"'],
    ['redis://h?ca=x', 'for rediss'],
    ['redis://h?prefix=a%20b', 'letters, digits'],
  ])('%s is wrong: %s', (url, words) => {
    expect(parseRedisUrl(url)).toEqual({ error: expect.stringContaining(words) as string });
  });

  it('no secret stands in the name', () => {
    const name = (url: string): string => {
      const parsed = parseRedisUrl(url);
      return 'error' in parsed ? '' : parsed.name;
    };
    expect(name('redis://user:secret@h:1/0?prefix=x')).toBe('redis://h:1/0');
    expect(name('redis+sentinel://user:secret@h/g?sentinelPassword=secret')).toBe('redis+sentinel://h/g');
  });
});
