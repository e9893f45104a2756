import { describe, expect, it } from 'vitest';
import { inheritedSockets } from './inherited.js';

describe('inheritedSockets', () => {
  it('takes the sockets that are meant for this process', () => {
    expect(inheritedSockets({ LISTEN_PID: '17', LISTEN_FDS: '2' }, 17)).toEqual([3, 4]);
  });

  it.each([
    [{}],
    [{ LISTEN_FDS: '2' }],
    [{ LISTEN_PID: '16', LISTEN_FDS: '2' }],
    [{ LISTEN_PID: '17' }],
    [{ LISTEN_PID: '17', LISTEN_FDS: '0' }],
    [{ LISTEN_PID: '17', LISTEN_FDS: '-1' }],
    [{ LISTEN_PID: '17', LISTEN_FDS: 'x' }],
    [{ LISTEN_PID: '17', LISTEN_FDS: '65' }],
  ])('takes none from %j', (environment) => {
    expect(inheritedSockets(environment, 17)).toEqual([]);
  });
});
