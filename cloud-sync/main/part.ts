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
