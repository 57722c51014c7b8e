/** Wall-clock milliseconds, counted from the midnight that begins a day; `toMs` is exclusive and may be beyond that day. */
export interface LocalWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

const windowOf = (fromMs: number, toMs: number): readonly LocalWindow[] => (fromMs < toMs ? [{ fromMs, toMs }] : []);

/** What of the windows is within `part`. */
export const within = (windows: readonly LocalWindow[], part: LocalWindow): readonly LocalWindow[] =>
  windows.flatMap(({ fromMs, toMs }) => windowOf(Math.max(fromMs, part.fromMs), Math.min(toMs, part.toMs)));

/** What of the windows is before or after `part`. */
export const without = (windows: readonly LocalWindow[], part: LocalWindow): readonly LocalWindow[] =>
  windows.flatMap(({ fromMs, toMs }) => [
    ...windowOf(fromMs, Math.min(toMs, part.fromMs)),
    ...windowOf(Math.max(fromMs, part.toMs), toMs),
  ]);

/** Where both are. */
export const inBoth = (a: readonly LocalWindow[], b: readonly LocalWindow[]): readonly LocalWindow[] =>
  b.flatMap((part) => within(a, part));

export const shifted = ({ fromMs, toMs }: LocalWindow, byMs: number): LocalWindow => ({
  fromMs: fromMs + byMs,
  toMs: toMs + byMs,
});
