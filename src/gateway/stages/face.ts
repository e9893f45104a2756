import { answerQueue } from '../control/queue.js';
import { provideSections } from '../control/sections.js';
import { openControl } from '../control/socket.js';
import { StatusBoard } from '../control/status.js';
import { groupView } from '../directory.js';
import type { Base } from './base.js';
import type { Begun } from './begin.js';
import type { Intake } from './intake.js';
import type { Scanning } from './scanning.js';
import type { Sending } from './sending.js';

/** Lets commands and the operator's pages ask for the state of all parts; from then on the node counts as ready. */
export async function openFace(
  begun: Begun,
  { store: opened, storeWatch, events }: Base,
  { pool, health, directory }: Scanning,
  { queue, notifications, delivery }: Sending,
  { smtp, counts, reloader }: Intake,
): Promise<StatusBoard> {
  const { config, inForce, roles, parts, operator, log } = begun;
  const store = { available: () => storeWatch.available, lostLines: () => opened.journal.lost };
  const rules = (): { count: number; loadedAt: Date } => ({
    count: inForce.current.bundle.rules.length,
    loadedAt: inForce.loadedAt,
  });
  const status = new StatusBoard();
  provideSections(status, {
    ...{ config, roles, counts, delivery, notifications, queue, health, events },
    addresses: smtp.addresses,
    store: { name: opened.name, ...store },
  });
  if (config.directory !== undefined) status.provide('directory', () => directory.states.map(groupView));
  status.provide('rules', () => ({ folder: inForce.config.rules, ...rules(), ...reloader?.status }));
  parts.add(
    await openControl(
      config.data,
      {
        status: async () => await status.snapshot(),
        queue: answerQueue(delivery),
        page: async (path) => await operator.page(String(path)),
      },
      log,
    ),
    (c) => c.close(),
  );
  operator.started({ queue, store, events, notifications, delivery, pool, health, smtp, rules }, () => {
    if (directory.missing !== undefined) return `groups of the directory are missing: ${directory.missing}`;
    return delivery.hasRoom() ? undefined : 'the spool or the disk is short';
  });
  // Closed first.
  parts.add(operator, (o) => {
    o.stopping();
    return Promise.resolve();
  });
  return status;
}
