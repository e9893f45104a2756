import type { SMTPServerOptions } from 'smtp-server';
import type { Log } from '../telemetry/log.js';
import { isUserName, type Users } from './users.js';

type OnAuth = NonNullable<SMTPServerOptions['onAuth']>;

/**
 * Judges logins: PLAIN and LOGIN by the users file; the LOGIN attribute of XCLIENT, which only named proxies may
 * send, is believed.
 */
export function authenticator(users: Users | undefined, log: Log): OnAuth {
  return (auth, session, callback) => {
    const name = auth.username ?? '';
    if (auth.method === 'XCLIENT') {
      callback(null, isUserName(name) ? { user: name } : {});
      return;
    }
    const password = auth.password ?? '';
    if (users === undefined) {
      callback(null, {});
      return;
    }
    users.check(name, password).then(
      (right) => {
        if (!right) log.info({ client: session.remoteAddress, user: name.slice(0, 128) }, 'login refused');
        callback(null, right ? { user: name } : { message: 'Authentication credentials invalid' });
      },
      (error: unknown) => {
        log.error({ err: error }, 'the users file cannot be read');
        callback(null, { responseCode: 454, message: 'Temporary authentication failure' });
      },
    );
  };
}
