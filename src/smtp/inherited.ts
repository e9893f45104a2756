/** The first file descriptor that a service manager hands over (sd_listen_fds(3)). */
const FIRST = 3;
const MAX = 64;

/**
 * Listening sockets that a service manager has opened for this process (systemd's socket activation: LISTEN_FDS,
 * LISTEN_PID). Connections that come while no gateway runs wait in them: a restart refuses nobody.
 * @returns their file descriptors, in the order of the unit; none when there are none for this process
 */
export function inheritedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly number[] {
  if (environment['LISTEN_PID'] !== String(pid)) return [];
  const count = Number(environment['LISTEN_FDS']);
  if (!Number.isInteger(count) || count < 1 || count > MAX) return [];
  return Array.from({ length: count }, (_, i) => FIRST + i);
}
