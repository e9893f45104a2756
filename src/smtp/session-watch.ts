import type { TraceId } from '../message/trace-id.js';
import type { NoticeReporter } from '../notifications/notices.js';
import type { NoticeClass } from '../notifications/types.js';
import type { Log } from '../telemetry/log.js';
import { Transcript } from './transcript.js';

type SessionClass = Extract<NoticeClass, 'policy' | 'protocol' | 'resource' | 'software'>;

const CLASSES: readonly SessionClass[] = ['policy', 'protocol', 'resource', 'software'];
/** Replies to what is no SMTP: RFC 5321 4.2.2 and 4.1.1.11. */
const PROTOCOL = new Set([500, 501, 502, 503, 504, 555]);

/** What the admins are told of one session, at its end: one notice for each class of what went wrong in it. */
export class SessionWatch {
  readonly #notices: NoticeReporter;
  readonly #log: Log;
  readonly #transcript: Transcript | undefined;
  readonly #found = new Map<SessionClass, { readonly what: string; readonly id?: TraceId }>();
  #command = 'The connection';
  #id: TraceId | undefined;
  #over = false;

  private constructor(notices: NoticeReporter, log: Log) {
    this.#notices = notices;
    this.#log = log;
    this.#transcript = notices.wants('policy') || notices.wants('protocol') ? new Transcript() : undefined;
  }

  /** A watch for a session; undefined when no class is on that it could tell of, so that it costs nothing. */
  static over(notices: NoticeReporter | undefined, log: Log): SessionWatch | undefined {
    if (notices === undefined || !CLASSES.some((each) => notices.wants(each))) return undefined;
    return new SessionWatch(notices, log);
  }

  /** @param secret the line answers a challenge of AUTH */
  heard(command: Buffer, secret: boolean): void {
    this.#id = undefined;
    this.#command = secret ? 'AUTH' : verbOf(command);
    this.#transcript?.heard(command, secret);
  }

  /** A message has come in; its reply follows. */
  data(bytes: number, id: TraceId): void {
    this.#id = id;
    this.#command = 'The message';
    this.#transcript?.data(bytes);
  }

  /** @param data lines of the reply; the first may begin with its enhanced status code */
  answered(code: number, enhanced: string, data: string | readonly string[]): void {
    const lines = typeof data === 'string' ? [data] : data;
    const shown = enhanced === '' ? lines : lines.map((line) => `${enhanced} ${line}`);
    this.#transcript?.answered(code, shown);
    if (code < 400) return;
    const about = classOf(code, shown[0] ?? '');
    if (about === undefined || this.#found.has(about)) return;
    const what = `${this.#command} was answered: ${code} ${shown[0] ?? ''}`;
    this.#found.set(about, { what, ...(this.#id === undefined ? {} : { id: this.#id }) });
  }

  /** The session is over. Best effort: a notice that cannot be written is logged. */
  end(client: string): void {
    if (this.#over) return;
    this.#over = true;
    for (const [about, { what, id }] of this.#found) {
      const transcript = about === 'policy' || about === 'protocol' ? this.#transcript?.lines : undefined;
      void this.#notices
        .tell({
          class: about,
          errorDescription: what,
          message: { senderIp: client, ...(id === undefined ? {} : { messageId: id }) },
          ...(transcript === undefined ? {} : { transcript }),
        })
        .catch((error: unknown) => this.#log.warn({ class: about, err: error }, 'a notice could not be written'));
    }
  }
}

/**
 * The class of a refusal. Policy is what RFC 3463 3.8 calls security or policy status (X.7.X), as far as it is final or
 * about rates: relaying, logins, limits, and messages that rules refuse.
 */
function classOf(code: number, line: string): SessionClass | undefined {
  const enhanced = /^[45]\.\d{1,3}\.\d{1,3}/.exec(line)?.[0] ?? '';
  if (code === 452 && enhanced === '4.3.1') return 'resource';
  if (code === 451 && enhanced === '4.3.0') return 'software';
  // Who talks before the greeting, or without end, breaks the protocol, though the answer has a code of policy.
  if (PROTOCOL.has(code) || (code === 421 && /too soon|line too long/.test(line))) return 'protocol';
  if (!/^[45]\.7\./.test(enhanced)) return undefined;
  return code >= 500 || code === 450 || code === 421 ? 'policy' : undefined;
}

function verbOf(command: Buffer): string {
  const verb = /^[A-Za-z]{1,10}/.exec(command.toString('latin1', 0, 10))?.[0];
  return verb === undefined ? 'A line that is no command' : verb.toUpperCase();
}
