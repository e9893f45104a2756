import { expect, it } from 'vitest';
import { mergeMetrics } from './merge-metrics.js';

const page = (sessions: number): string => `# HELP a_total Sessions
# TYPE a_total counter
a_total ${sessions}

# HELP b Times
# TYPE b histogram
b_bucket{le="1",name="x } y"} 2
b_sum{} 3
`;

it('names the process of each sample, and keeps the samples of a metric together', () => {
  const merged = mergeMetrics([
    { process: 1, text: page(4) },
    { process: 2, text: page(5) },
  ]);
  expect(merged.split('\n').filter((line) => line !== '')).toEqual([
    '# HELP a_total Sessions',
    '# TYPE a_total counter',
    'a_total{process="1"} 4',
    'a_total{process="2"} 5',
    '# HELP b Times',
    '# TYPE b histogram',
    'b_bucket{process="1",le="1",name="x } y"} 2',
    'b_sum{process="1"} 3',
    'b_bucket{process="2",le="1",name="x } y"} 2',
    'b_sum{process="2"} 3',
  ]);
});
