/** How the torture runs: in the short form of `npm test`, or as `npm run torture` says. */
export interface TortureSettings {
  readonly long: boolean;
  readonly seed: number;
  /** Kills of the gateway, for each queue. */
  readonly kills: number;
  /** Only this queue, `embedded` or `redis`. */
  readonly queue: string | undefined;
}

/** @param shortKills kills in the short form */
export function tortureSettings(shortKills: number): TortureSettings {
  const { TORTURE, TORTURE_SEED, TORTURE_KILLS, TORTURE_QUEUE } = process.env;
  const long = TORTURE === 'long';
  return {
    long,
    seed: TORTURE_SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(TORTURE_SEED),
    kills: TORTURE_KILLS === undefined ? (long ? 300 : shortKills) : Number(TORTURE_KILLS),
    queue: TORTURE_QUEUE,
  };
}
