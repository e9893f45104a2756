import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { collectorOf } from './collector.js';

function collector(environment: NodeJS.ProcessEnv): { readonly url: string | undefined; readonly said: string } {
  let said = '';
  const url = collectorOf(environment, pino({ level: 'warn' }, { write: (line) => void (said += line) }));
  return { url, said };
}

describe('the collector of the environment', () => {
  it('is that of traces, else the one of all with the path of traces', () => {
    const all = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318/' };
    expect(collector({})).toEqual({ url: undefined, said: '' });
    expect(collector(all)).toEqual({ url: 'http://all:4318/v1/traces', said: '' });
    expect(collector({ ...all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://own/x' }).url).toBe('https://own/x');
  });

  it.each(['garbage', 'localhost:4318', 'http://user:secret@h/', 'http://[::', 'ftp://h'])(
    'that is none (%s) is told with the name of the variable alone, and there are no traces',
    (value) => {
      for (const variable of ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
        const { url, said } = collector({ [variable]: value });
        expect(url).toBeUndefined();
        expect(said).toContain(`"variable":"${variable}"`);
        expect(said).not.toContain('secret');
      }
    },
  );
});
