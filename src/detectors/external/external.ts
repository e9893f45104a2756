import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../config/units.js';
import type { Message } from '../../message/types.js';
import { DetectorError } from '../failure.js';
import type { Detector, DetectorInput, DetectorModule, Finding } from '../types.js';
import { requestOf } from './request.js';
import { VerdictService, type Answer, type Verdict } from './service.js';
import { settingsSchema, type ExternalSettings } from './settings.js';

const FIRST_POLL = 250;
const LONGEST_POLL = 5_000;
/** Where nobody says how much time there is. */
const LONGEST_WAIT = 60_000;

/** An HTTP service that says what it makes of a message, at once or later: a sandbox, a scanner of one's own. */
export const external: DetectorModule<ExternalSettings> = {
  name: 'external',
  settings: settingsSchema,
  statuses: [],
  statusesFor: ({ statuses }) => statuses,
  waits: () => true,
  create: (settings) => createExternal(settings),
};

export function createExternal(settings: ExternalSettings, now: () => number = Date.now): Detector {
  const { url, secret, token } = settings;
  const service = new VerdictService({
    url,
    now,
    ...(secret === undefined ? {} : { secret }),
    ...(token === undefined ? {} : { token }),
  });
  return {
    inspect: async (input) => await inspect(input, settings, service, now),
    health: async (signal) => {
      try {
        await service.probe(signal);
      } catch (error) {
        throw error instanceof DetectorError ? error : unavailable(error);
      }
    },
  };
}

async function inspect(
  input: DetectorInput,
  settings: ExternalSettings,
  service: VerdictService,
  now: () => number,
): Promise<readonly Finding[]> {
  input.signal.throwIfAborted();
  if (settings.send === 'message' && input.message.bytes.length > settings.maxSize)
    return [{ module: 'external', status: 'limit', detail: 'the message is too large for the verdict service' }];
  // Late before the module is, so that it can say so.
  const left = (input.until ?? Infinity) - performance.now();
  const wait = Math.floor(Math.max(1, Math.min(settings.verdictTimeout ?? LONGEST_WAIT, left * 0.9)));
  const over = AbortSignal.timeout(wait);
  const signal = AbortSignal.any([over, input.signal]);
  try {
    const body = JSON.stringify(requestOf(input, settings.send));
    return findingsOf(await untilVerdict(service, body, signal), input.message, settings.statuses);
  } catch (error) {
    if (over.aborted && !input.signal.aborted) return [late(input, settings, wait, now())];
    throw error instanceof DetectorError ? error : unavailable(error);
  }
}

/** Asks, and asks again with growing delay until there is a verdict or the signal aborts. */
async function untilVerdict(service: VerdictService, body: string, signal: AbortSignal): Promise<Verdict> {
  let answer: Answer = await service.ask(body, signal);
  let delay = FIRST_POLL;
  while (answer.kind === 'later') {
    await sleep(Math.min(Math.max(delay, answer.after ?? 0), LONGEST_POLL), undefined, { signal });
    delay = delay * 1.5;
    answer = await service.askAgain(answer.poll, signal);
  }
  return answer.verdict;
}

/** The verdict is not there in time: the message waits in the spool as long as it may, or the rule says what to do. */
function late({ receivedAt }: DetectorInput, settings: ExternalSettings, wait: number, now: number): Finding {
  const detail = `the verdict service had no verdict within ${formatDuration(wait)}`;
  const waits = settings.onLate === 'hold' && receivedAt !== undefined && now - receivedAt < settings.holdLimit;
  return { module: 'external', status: 'timeout', detail, ...(waits ? { hold: true } : {}) };
}

/** An object that the message does not have cannot be deleted: the finding is then about the message. */
function findingsOf({ findings }: Verdict, message: Message, statuses: readonly string[]): Finding[] {
  const paths = new Map(message.objects.map(({ path, size }) => [path, size]));
  return findings
    .filter(({ status }) => status !== 'clean')
    .map(({ status, name, object, detail, score }): Finding => {
      if (!statuses.includes(status))
        throw new DetectorError('the verdict service answered with a status that is not configured');
      const size = object === undefined ? undefined : paths.get(object);
      return {
        module: 'external',
        status,
        ...(name === undefined ? {} : { name }),
        ...(object === undefined || size === undefined ? {} : { object, size }),
        ...(detail === undefined ? {} : { detail }),
        ...(score === undefined ? {} : { score }),
      };
    });
}

/** fetch hides the reason in the cause. */
function unavailable(error: unknown): DetectorError {
  return new DetectorError('the verdict service cannot be reached', { cause: error });
}
