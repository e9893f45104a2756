import path from 'node:path';
import type { Config } from '../../config/load.js';
import { clearUpAfterStart } from '../../pipeline/garbage.js';
import { clearUpInSteps } from '../../pipeline/in-steps.js';
import { keepYoungRoom } from '../../pipeline/young.js';
import { withGroups } from '../../rules/groups.js';
import { startSmtp, type SmtpService } from '../../smtp/smtp-service.js';
import { StrangerLog } from '../../smtp/stranger-log.js';
import { countMail, type MailCounts } from '../control/mail-counts.js';
import { openCopyMark } from '../copy-mark.js';
import { heldBack } from '../directory.js';
import { createProcessor, type PartsInForce, type ProcessorParts } from '../processor.js';
import { tellInForce } from '../processes/child.js';
import { applier } from '../reload/apply.js';
import { followSettings } from '../reload/follow.js';
import type { Reloader } from '../reload/reloader.js';
import type { Setup } from '../setup.js';
import type { Base } from './base.js';
import type { Begun } from './begin.js';
import type { Scanning } from './scanning.js';
import type { Sending } from './sending.js';

/** Share of its time in which the session loop is busy while there is little to do. */
const CALM = 0.3;
/** Share from which on it has much to do. */
const BUSY = 0.4;

/** What takes mail in. */
export interface Intake {
  readonly smtp: SmtpService;
  readonly counts: MailCounts;
  /** Without files that could be followed there is none. */
  readonly reloader: Reloader | undefined;
}

/** Starts the sessions once all threads are there, and from then on follows the files of the settings. */
export async function openIntake(begun: Begun, base: Base, scanning: Scanning, sending: Sending): Promise<Intake> {
  const { whole, setup, config, own, inForce, opened, parts, operator, later, listening, inTurn, log } = begun;
  const { watchedStore, events, nodes, knowRules } = base;
  const { pool, health, directory, watchers } = scanning;
  const { notifications, delivery } = sending;
  await scanning.ready;
  parts.add(clearUpAfterStart(CALM), (c) => c.close());
  parts.add(keepYoungRoom(BUSY), (k) => k.close());
  parts.add(clearUpInSteps(), (c) => c.close());
  const strangers = new StrangerLog(log);
  const processing = partsInForce(inForce, {
    ...{ pool, delivery, notifications, events, log, strangers },
    store: watchedStore,
    copyMark: await openCopyMark(whole.config.data),
  });
  later.processing = processing;
  const counted = countMail(operator.handler(heldBack(createProcessor(processing), directory, strangers)));
  const smtp = parts.add(
    await startSmtp({
      config,
      handler: counted.handler,
      log,
      spoolFolder: path.join(config.data, 'uploads'),
      notices: notifications.notices,
    }),
    (s) => s.close(),
  );
  const [first] = smtp.addresses;
  if (first !== undefined) later.port = first.port;
  listening.give();
  void nodes.now();
  const apply = applier(
    { pool, smtp, health, watchers, withGroups: (bundle) => withGroups(bundle, directory.snapshot), log },
    setup,
  );
  const applyInTurn = async (next: Setup, nowInForce: () => void): Promise<void> =>
    await inTurn(async () => {
      await apply(next, nowInForce);
      tellInForce(next.config);
      knowRules(next);
      void nodes.now();
    });
  // One that was started again may find other settings than the process above did.
  tellInForce(config);
  const reloader =
    opened === undefined
      ? undefined
      : parts.add(await followSettings({ opened, own, inForce, events, log, apply: applyInTurn }), (r) => r.close());
  return { smtp, counts: counted.counts, reloader };
}

/** Put together anew only when another configuration comes into force, not for each message. */
function partsInForce(inForce: { readonly config: Config }, rest: Omit<ProcessorParts, 'config'>): PartsInForce {
  let parts: ProcessorParts = { ...rest, config: inForce.config };
  return () => {
    if (parts.config !== inForce.config) parts = { ...rest, config: inForce.config };
    return parts;
  };
}
