/** Something of a process of the cloud that is started and stopped with it. */
export interface Part {
  /** For people, in logs and in `/readyz`. */
  readonly name: string;
  /** Rejects where it cannot work at the moment; it is called again then. */
  start(): Promise<void>;
  /** Idempotent; also where `start` has not resolved, or has rejected. */
  stop(): Promise<void>;
  /** Why it does not work, though it has started. */
  problem?(): string | undefined;
}

interface Startable {
  start?(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** As a part, what knows nothing of parts. */
export const named = (name: string, part: Startable): Part => ({
  name,
  start: async () => part.start?.(),
  stop: async () => part.stop(),
});
