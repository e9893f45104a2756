import { askControl, NotRunningError } from '../gateway/control/socket.js';
import { processFolders } from '../gateway/processes/folders.js';

type Sections = Readonly<Record<string, unknown>>;

/** Sections whose numbers are summed up. */
const SUMMED = ['mail', 'spool', 'notifications'];
/** Numbers of them that are the same for all processes. */
const COMMON = ['freeDisk', 'minFreeDisk'];

/**
 * The status of all processes of a gateway: of a single one as it says it; of several what the first says, with the
 * numbers of all summed up, and below `processes` what each of them says.
 * @throws NotRunningError when none answers
 */
export async function askProcesses(data: string): Promise<Sections> {
  const folders = await processFolders(data);
  const answers = await Promise.all(
    folders.map(async ({ number, folder }) => {
      try {
        return { process: number, sections: toRecord(await askControl(folder, 'status')) };
      } catch (error) {
        if (!(error instanceof NotRunningError)) throw error;
        return { process: number, error };
      }
    }),
  );
  const good = answers.flatMap((answer) => ('sections' in answer ? [answer.sections] : []));
  const [first] = good;
  const [one] = answers;
  if (first === undefined) throw one !== undefined && 'error' in one ? one.error : new NotRunningError('none runs');
  if (answers.length === 1) return first;
  const sums = SUMMED.map((name) => [name, sumOf(good.map((sections) => toRecord(sections[name])))] as const);
  return {
    ...first,
    ...Object.fromEntries(sums),
    processes: answers.map((answer) =>
      'sections' in answer
        ? { process: answer.process, ...answer.sections }
        : { process: answer.process, unknown: answer.error.message },
    ),
  };
}

function sumOf(sections: readonly Sections[]): Sections {
  const sum: Record<string, unknown> = {};
  for (const section of sections)
    for (const [key, value] of Object.entries(section)) {
      const before = sum[key];
      if (typeof value === 'number' && typeof before === 'number' && !COMMON.includes(key)) sum[key] = before + value;
      else if (key === 'oldest' && typeof value === 'string' && typeof before === 'string')
        sum[key] = value < before ? value : before;
      else sum[key] ??= value;
    }
  return sum;
}

function toRecord(value: unknown): Sections {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
