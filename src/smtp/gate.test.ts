import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

describe('the gate', () => {
  it('counts in and out', () => {
    const gate = new Gate(2, 1);
    expect(gate.enter('a')).toBeUndefined();
    expect(gate.enter('a')).toMatchObject({ code: 421, enhanced: '4.7.0' });
    expect(gate.enter('b')).toBeUndefined();
    expect(gate.enter('c')).toMatchObject({ code: 421, enhanced: '4.7.0' });
    gate.leave('a');
    expect(gate.sessions).toBe(1);
    expect(gate.enter('a')).toBeUndefined();
  });

  it('counts a connection that is no session yet among those of its client, once', () => {
    const gate = new Gate(10, 2);
    const [first, second] = [gate.knock('a'), gate.knock('a')];
    expect(gate.knock('a')).toBeUndefined();
    expect(gate.enter('a')).toMatchObject({ code: 421, enhanced: '4.7.0' });
    expect(gate.sessions).toBe(0);
    first?.();
    first?.();
    expect(gate.enter('a')).toBeUndefined();
    expect(gate.enter('a')).toMatchObject({ code: 421 });
    second?.();
    expect(gate.enter('a')).toBeUndefined();
  });

  it('takes all addresses of an IPv6 /64 for one client', () => {
    const gate = new Gate(10, 1);
    expect(gate.enter('2001:db8::1')).toBeUndefined();
    expect(gate.enter('2001:db8::2')).toMatchObject({ code: 421, enhanced: '4.7.0' });
    expect(gate.enter('2001:db8:0:1::1')).toBeUndefined();
    gate.leave('2001:db8::1');
    expect(gate.enter('2001:db8::3')).toBeUndefined();
  });

  it('lets nobody in while it stops', () => {
    const gate = new Gate(2, 1);
    gate.stopping = true;
    expect(gate.enter('a')).toMatchObject({ code: 421, enhanced: '4.3.2' });
    expect(gate.sessions).toBe(0);
  });

  it('remembers who waited, for an hour and for 10,000 clients', () => {
    let now = 0;
    const gate = new Gate(1, 1, () => now);
    gate.markPatient('a');
    expect(gate.isPatient('a')).toBe(true);
    now = 3_600_000;
    expect(gate.isPatient('a')).toBe(false);
    gate.markPatient('a');
    for (let i = 0; i < 9_999; i += 1) gate.markPatient(String(i));
    expect(gate.isPatient('a')).toBe(true);
    gate.markPatient('last');
    expect(gate.isPatient('a')).toBe(false);
    gate.markImpatient('last');
    expect(gate.isPatient('last')).toBe(false);
  });
});
