const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `90s`, `15m`, `3d`, `1.5h` in ms; undefined when it is no duration. Zero needs no unit. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)$/i.exec(text.trim());
  if (match === null) return text.trim() === '0' ? 0 : undefined;
  return Math.round(Number(match[1]) * (MILLISECONDS[(match[2] ?? '').toLowerCase()] ?? 0));
}

/** `50MiB`, `25MB`, `1024` in bytes; undefined when it is no size. KB, MB, GB are decimal; KiB, MiB, GiB binary. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,3})?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = BYTES[(match?.[2] ?? '?').toLowerCase()];
  return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor);
}

/** So many in a span of time. */
export interface Rate {
  readonly count: number;
  /** ms */
  readonly per: number;
}

/** `60/m`, `10/5m`, `1000/h`; undefined when it is no rate. Units are s, m, h, d. */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d{1,9})\s*\/\s*(\d{0,6})\s*([smhd])$/i.exec(text.trim());
  if (match === null) return undefined;
  const count = Number(match[1]);
  const per = (match[2] === '' ? 1 : Number(match[2])) * (MILLISECONDS[(match[3] ?? '').toLowerCase()] ?? 0);
  return count > 0 && per > 0 ? { count, per } : undefined;
}

/** `1KiB/s` in bytes a second; undefined when it is no such speed. */
export function parseSpeed(text: string): number | undefined {
  const match = /^(.+)\/\s*s$/i.exec(text.trim());
  return match === null ? undefined : parseSize(match[1] ?? '');
}

/** A number of bytes for people: `1.2 MB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  for (const unit of ['kB', 'MB', 'GB']) {
    value /= 1000;
    if (value < 1000 || unit === 'GB') return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${bytes} B`;
}

/** A span for people: `350 ms`, `12 s`, `5 min`, `3 h`, `2 d`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}
