/** Commands that lead to no message (NOOP, RSET, EHLO, a MAIL that is put off ...) and are free between two messages. */
const FREE_COMMANDS = 100;
/** RCPT commands that add no recipient, and are no errors, and are free between two messages. */
const FREE_RECIPIENTS = 1000;
/** Wrong passwords of one session. */
const MAX_FAILED_LOGINS = 3;

/** How a client has behaved in its session. A message that is taken is worth a fresh start, except for wrong passwords. */
export class Conduct {
  readonly #maxErrors: number;
  #errors = 0;
  #idle = 0;
  #surplus = 0;
  #failedLogins = 0;

  constructor(maxErrors: number) {
    this.#maxErrors = maxErrors;
  }

  /** @returns whether the session has to end */
  error(): boolean {
    this.#errors += 1;
    return this.#errors >= this.#maxErrors;
  }

  /** A command that leads to no message. @returns whether it counts as an error */
  idle(): boolean {
    this.#idle += 1;
    return this.#idle > FREE_COMMANDS;
  }

  /** A RCPT that added no recipient and was no error. @returns whether it counts as one all the same */
  surplusRecipient(): boolean {
    this.#surplus += 1;
    return this.#surplus > FREE_RECIPIENTS;
  }

  /** @returns whether the session has to end */
  failedLogin(): boolean {
    this.#failedLogins += 1;
    return this.#failedLogins >= MAX_FAILED_LOGINS;
  }

  messageTaken(): void {
    this.#errors = 0;
    this.#idle = 0;
    this.#surplus = 0;
  }
}
