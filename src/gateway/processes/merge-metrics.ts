/** The page of one process. */
export interface ProcessMetrics {
  readonly process: number;
  readonly text: string;
}

interface Family {
  readonly head: string[];
  readonly samples: string[];
}

/**
 * One page for all processes, in Prometheus' text format: each sample has the label `process`, and those of one metric
 * stand together.
 */
export function mergeMetrics(pages: readonly ProcessMetrics[]): string {
  const families = new Map<string, Family>();
  for (const { process, text } of pages) {
    let family: Family = { head: [], samples: [] };
    let fresh = false;
    for (const line of text.split('\n')) {
      const about = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (about?.[1] !== undefined) {
        const known = families.get(about[1]);
        if (known === undefined || known !== family) fresh = known === undefined;
        family = known ?? { head: [], samples: [] };
        families.set(about[1], family);
        if (fresh) family.head.push(line);
      } else if (line !== '' && !line.startsWith('#')) family.samples.push(labelled(line, process));
    }
  }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
}

/** `name 1` and `name{a="b"} 1`: the name holds neither a brace nor a space. */
function labelled(sample: string, process: number): string {
  const end = sample.search(/[{ ]/);
  if (end < 0) return sample;
  const name = sample.slice(0, end);
  const label = `process="${process}"`;
  if (sample[end] === ' ') return `${name}{${label}}${sample.slice(end)}`;
  const rest = sample.slice(end + 1);
  return `${name}{${label}${rest.startsWith('}') ? '' : ','}${rest}`;
}
