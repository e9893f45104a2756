import type { ProcessState } from './supervisor.js';

/** What the process above several gateway processes says of them, beside the sums of what they say themselves. */
export const PROCESS_METRICS = [
  {
    name: 'gatepost_process_up',
    type: 'gauge',
    labels: ['process'],
    help: 'Whether a process of the gateway runs',
    value: ({ up }: Pick<ProcessState, 'up'>) => Number(up),
  },
  {
    name: 'gatepost_process_restarts_total',
    type: 'counter',
    labels: ['process'],
    help: 'How often a process of the gateway was started again',
    value: ({ restarts }: Pick<ProcessState, 'restarts'>) => restarts,
  },
] as const;
