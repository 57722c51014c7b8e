/** What an entry says beside its body. */
export const PLAIN = {
  kind: 'event',
  hlc: { unixMs: 1_767_600_000_000, counter: 3 },
  wallUnixMs: 1_767_600_000_000,
  timeQuality: 'holdover',
} as const;
