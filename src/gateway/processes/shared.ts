import path from 'node:path';
import type { NoticeReporter } from '../../notifications/notices.js';
import type { SharedData } from '../../store/open.js';
import type { Log } from '../../telemetry/log.js';
import { folderOf, processesFolder, type ProcessPlace } from './place.js';

/** The process above has the data folder; that this one runs is said by a lock of its own. */
export function sharedBy(data: string, { number }: ProcessPlace): SharedData {
  return { data, lock: number === 1 ? path.join(processesFolder(data), '1') : folderOf(data, number) };
}

/** Tells the admins that the process before this one in its place has died, if it has. */
export function tellDeath({ number, died }: ProcessPlace, notices: NoticeReporter, log: Log): void {
  if (died === undefined) return;
  const errorDescription = `Process ${number} of the gateway ended (${died}) and was started again.`;
  void notices
    .tell({ class: 'software', errorDescription })
    .catch((error: unknown) => log.warn({ err: error }, 'a notice could not be written'));
}
