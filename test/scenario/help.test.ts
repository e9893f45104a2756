import { describe, expect, it } from 'vitest';
import { runGatepost } from '../support/gateway.js';

describe('help', () => {
  it.each([
    ['help chekc', "unknown command 'chekc'\n(Did you mean check?)"],
    ['help foo', "unknown command 'foo'\n(There are start, check, "],
    ['foo --help', "unknown command 'foo'"],
    ['queue help lits', "unknown command 'lits'\n(Did you mean list?)"],
    ['help queue foo', "unknown command 'foo'\n(There are list, show, "],
    ['queue foo', "unknown command 'foo'\n(There are list, show, "],
    ['queue foo --help', "unknown command 'foo'"],
    ['nodes remvoe', "unknown command 'remvoe'\n(Did you mean remove?)"],
    ['nodes help foo', "unknown command 'foo'\n(There are remove, control, help.)"],
    ['help check foo', "'check' has no commands below it, such as 'foo'"],
  ])('gatepost %s says that there is no such command', async (line, text) => {
    const { status, stdout, stderr } = await runGatepost(line.split(' '));
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: ${text}`);
    expect(stderr).toContain('run with --help');
  });

  it.each([
    ['help', 'gatepost [options]'],
    ['help queue', 'gatepost queue [options]'],
    ['help queue list', 'gatepost queue list'],
    ['queue help list', 'gatepost queue list'],
    ['nodes help', 'gatepost nodes [options]'],
    ['nodes --help', 'gatepost nodes [options]'],
  ])('gatepost %s shows it', async (line, usage) => {
    const { status, stdout, stderr } = await runGatepost(line.split(' '));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`Usage: ${usage}`);
  });
});
