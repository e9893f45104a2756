import type { Config } from '../config/load.js';
import type { NetworkSet } from '../config/networks.js';
import type { NoticeReporter } from '../notifications/notices.js';
import type { Log } from '../telemetry/log.js';
import type { StrangerLog } from './stranger-log.js';
import type { ClientRate } from './client-rate.js';
import type { Gate } from './gate.js';
import type { IntakeSettings } from './intake.js';
import type { RelayPolicy } from './relay.js';
import type { MessageHandler } from './types.js';
import type { Users } from './users.js';

/** What happened since the start. */
export interface SmtpCounters {
  sessions: number;
  /** Sessions that were not let in. */
  refusedSessions: number;
  /** Messages whose end of data was seen. */
  messages: number;
  /** Of them, those that were answered 2xx. */
  accepted: number;
  /** Bytes of messages, in canonical form. */
  bytes: number;
  refusedRecipients: number;
  /** Messages whose client went away, or was too slow, before their end. */
  aborted: number;
  /** Replies by code. */
  readonly replies: Map<number, number>;
}

/** Nothing has been counted yet. */
export function newCounters(): SmtpCounters {
  return {
    sessions: 0,
    refusedSessions: 0,
    messages: 0,
    accepted: 0,
    bytes: 0,
    refusedRecipients: 0,
    aborted: 0,
    replies: new Map(),
  };
}

/** What all sessions share. */
export interface SessionContext {
  readonly config: Config;
  readonly relay: RelayPolicy;
  readonly gate: Gate;
  readonly handler: MessageHandler;
  readonly intake: IntakeSettings;
  /** Absent when nobody can log in. */
  readonly users?: Users;
  readonly tlsOffered: boolean;
  readonly xclient: NetworkSet;
  /** Of clients that are not trusted; absent where there is no limit. */
  readonly rates: { readonly connections?: ClientRate; readonly messages?: ClientRate };
  /** ms over which `smtp.minimumRate` is measured. */
  readonly rateWindow: number;
  /** Where the admins are told of sessions that went wrong. */
  readonly notices?: NoticeReporter;
  readonly log: Log;
  /** For lines that a stranger can cause. */
  readonly strangers: StrangerLog;
  readonly counters: SmtpCounters;
}
