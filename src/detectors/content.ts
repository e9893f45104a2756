import { z } from 'zod';
import { macroReport } from '../message/macros/macro-report.js';
import type { MessageObject } from '../message/types.js';
import type { Detector, DetectorModule, Finding } from './types.js';

/**
 * Reports what cannot be opened without a password and what carries a macro. Names, types and sizes are not reported:
 * rules match them themselves.
 */
export const content: DetectorModule<Record<string, never>> = {
  name: 'content',
  settings: z.strictObject({}),
  statuses: ['encrypted', 'macro'],
  create: (): Detector => ({
    inspect: ({ message }) => Promise.resolve(inspectObjects(message.objects)),
  }),
};

function inspectObjects(objects: readonly MessageObject[]): Finding[] {
  const findings: Finding[] = [];
  const locked = new Set<string>();
  for (const object of objects) {
    const where = { module: 'content', object: object.path, size: object.size };
    if (object.encrypted) {
      // An archive whose entries are encrypted is one finding, not one for each entry.
      if (!isInside(object.path, locked))
        findings.push({ ...where, status: 'encrypted', detail: 'cannot be opened without a password' });
      locked.add(object.path);
    }
    if (object.macro) findings.push({ ...where, status: 'macro', detail: detailOf(object) });
  }
  return findings;
}

/** What the macro does, where its source can be read. */
function detailOf(object: MessageObject): string {
  const bytes = object.encrypted ? undefined : object.content();
  return bytes === undefined ? 'carries a macro' : macroReport(bytes);
}

/** Whether one of the containers in the path is in the set. */
function isInside(path: string, containers: ReadonlySet<string>): boolean {
  if (containers.size === 0) return false;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (containers.has(path.slice(0, at))) return true;
  }
  return false;
}
