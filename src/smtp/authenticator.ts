import { setTimeout as sleep } from 'node:timers/promises';
import type { SMTPServerOptions } from 'smtp-server';
import { canonicalAddress } from '../config/networks.js';
import { Turns } from '../delivery/turns.js';
import type { Log } from '../telemetry/log.js';
import type { StrangerLog } from './stranger-log.js';
import { rateKey, type ClientRate } from './client-rate.js';
import { isUserName, type Users } from './users.js';

type OnAuth = NonNullable<SMTPServerOptions['onAuth']>;

/** Failed logins of one client: after them no password of it is looked at until the window is over. */
export const LOGIN_FAILURES = { count: 10, per: 15 * 60_000 } as const;
const MAX_DELAY = 5000;

export interface Logins {
  /** Absent when nobody can log in. */
  readonly users?: Users;
  readonly failures: ClientRate;
  /** Clients that are trusted: they are not locked out, for many people may stand behind one of them. */
  readonly trusts: (client: string) => boolean;
  /** ms that the answer to a wrong password is held back, for each failure of the client so far; at most 5 s. */
  readonly delay: number;
  readonly log: Log;
  readonly strangers: StrangerLog;
}

/**
 * Judges logins: PLAIN and LOGIN by the users file; the LOGIN attribute of XCLIENT, which only named proxies may
 * send, is believed. A wrong password is answered later and later, and after ten the client has to wait (454). Those of
 * one client that is not trusted are looked at one after the other.
 */
export function authenticator({ users, failures, trusts, delay, log, strangers }: Logins): OnAuth {
  const turns = new Turns();

  /** Looks at the password unless too many of the client were wrong. */
  async function look(client: string, { name, password, actAs }: Login, known: Users): Promise<Outcome> {
    if (!trusts(client) && (await failures.isOver(client))) return 'locked';
    // RFC 4616 2: nobody may act as another.
    if ((await known.check(name, password)) && (actAs === '' || actAs === name)) return 'good';
    return { failed: await failures.add(client) };
  }

  async function judge(client: string, login: Login): Promise<Answer> {
    if (users === undefined) return {};
    const { name } = login;
    // One after the other: else as many as a client has sessions would be looked at before the first has failed.
    const outcome = trusts(client)
      ? await look(client, login, users)
      : await turns.take(rateKey(client), () => look(client, login, users));
    if (outcome === 'good') return { user: name };
    if (outcome === 'locked') {
      strangers.info({ client }, 'login not looked at: too many have failed');
      return { responseCode: 454, message: 'Too many failed logins, try again later' };
    }
    const { failed } = outcome;
    strangers.info({ client, user: name.slice(0, 128), failed }, 'login refused');
    await sleep(Math.min(delay * failed, MAX_DELAY), undefined, { ref: false });
    return { message: 'Authentication credentials invalid' };
  }

  return (auth, session, callback) => {
    const name = auth.username ?? '';
    if (auth.method === 'XCLIENT') {
      callback(null, isUserName(name) ? { user: name } : {});
      return;
    }
    const client = canonicalAddress(session.remoteAddress) ?? session.remoteAddress;
    judge(client, { name, password: auth.password ?? '', actAs: auth.authzid ?? '' }).then(
      (answer) => callback(null, answer),
      (error: unknown) => {
        log.error({ err: error }, 'the users file cannot be read');
        callback(null, { responseCode: 454, message: 'Temporary authentication failure' });
      },
    );
  };
}

interface Login {
  readonly name: string;
  readonly password: string;
  /** The authorization identity of PLAIN; empty where none is given. */
  readonly actAs: string;
}

/** What became of a login; failed ones with how many of the client have within the window. */
type Outcome = 'good' | 'locked' | { readonly failed: number };

interface Answer {
  user?: string;
  responseCode?: number;
  message?: string;
}
