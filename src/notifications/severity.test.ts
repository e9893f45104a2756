import { describe, expect, it } from 'vitest';
import { isSevere, severityOf, severityOfNotice } from './severity.js';

const fired = (key: string, ...statuses: string[]) => ({
  key,
  findings: statuses.map((status) => ({ module: 'm', status })),
});

describe('severityOf', () => {
  it.each([
    [fired('malware', 'infected'), 'error'],
    [fired('antivirus.infected', 'infected'), 'error'],
    [fired('phishing', 'phishing'), 'error'],
    [fired('malicious-link', 'malicious-link'), 'error'],
    [fired('macro', 'macro'), 'error'],
    [fired('spam', 'spam'), 'warning'],
    [fired('encrypted', 'encrypted'), 'warning'],
    [fired('scan-error', 'timeout'), 'warning'],
    [fired('content.programs'), 'warning'],
    [fired('content.odd', 'anomaly'), 'warning'],
    [fired('anomaly', 'anomaly'), 'informative'],
    [fired('message.anomaly', 'anomaly'), 'informative'],
  ])('of %j is %s', (response, severity) => {
    expect(severityOf(response)).toBe(severity);
  });
});

it('notices about failures of our own are errors', () => {
  expect(['bounce', 'double-bounce', 'delay', 'policy', 'protocol', 'resource', 'software'] as const).toHaveLength(7);
  expect((['double-bounce', 'resource', 'software'] as const).map(severityOfNotice)).toEqual([
    'error',
    'error',
    'error',
  ]);
  expect((['bounce', 'delay', 'policy', 'protocol'] as const).map(severityOfNotice)).toEqual([
    'warning',
    'warning',
    'warning',
    'warning',
  ]);
});

it('isSevere counts from the least', () => {
  expect(isSevere('warning', 'warning')).toBe(true);
  expect(isSevere('informative', 'warning')).toBe(false);
  expect(isSevere('critical', 'diagnostic')).toBe(true);
});
