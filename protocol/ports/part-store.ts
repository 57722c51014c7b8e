/** A piece of a policy revision, under the name that its content has. */
export interface Part {
  /** SHA-256 of the content, in lower-case hex. */
  readonly hash: string;
  readonly content: Uint8Array;
}

/** Parts of policy revisions on the own disk, by name. */
export interface PartStore {
  has(hash: string): boolean;
  /** As it was put; whoever relies on it compares it with its name. */
  get(hash: string): Uint8Array | undefined;
  /** All or nothing, and on disk for good when it returns. A part that is there is replaced. Throws ERR_POLICY_PARTS_FAILED. */
  put(parts: readonly Part[]): void;
  /** Drops a part, if it is there. Throws ERR_POLICY_PARTS_FAILED. */
  drop(hash: string): void;
  /** Drops every other part. Throws ERR_POLICY_PARTS_FAILED. */
  keepOnly(hashes: ReadonlySet<string>): void;
  close(): void;
}
