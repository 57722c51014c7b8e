const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Of a span as the configuration has it; seconds where no unit stands. */
export function spanMs(span: string): number {
  const [, count, unit = 's'] = /^(\d+)([smhd])?$/.exec(span) ?? [];
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
