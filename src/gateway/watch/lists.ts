import path from 'node:path';
import type { EventReporter } from '../../events/types.js';

/** Reports `database-update-failed` for the files that detectors follow. For `watchDetectors`. */
export function reportFileStates(
  events: EventReporter,
): (module: string, file: string, reason: string | undefined) => void {
  return (module, file, reason) => {
    const subject = `${module}: ${path.basename(file)}`;
    if (reason === undefined) events.resolve('database-update-failed', subject);
    else events.raise('database-update-failed', { subject, detail: `${reason}; the last one stays in force` });
  };
}
