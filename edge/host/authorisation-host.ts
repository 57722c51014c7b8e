/** Who wants to pass where. Ids are those of the site file; no card value and no PIN is among them. */
export interface HostQuestion {
  readonly siteId: string;
  readonly accessPointId: string;
  readonly doorId: string;
  /** As the gateway's clock has it. */
  readonly atUnixMs: number;
  /** All who pass on this release. */
  readonly persons: readonly { readonly credentialId: string; readonly holderId: string }[];
}

/** A system outside of the gateway that has a say in passages, after all checks of the gateway hold. */
export interface AuthorisationHost {
  /** Rejects with ERR_HOST_UNREACHABLE or ERR_HOST_MALFORMED; ends when the signal is aborted. */
  authorise(question: HostQuestion, signal: AbortSignal): Promise<'allowed' | 'denied'>;
}
