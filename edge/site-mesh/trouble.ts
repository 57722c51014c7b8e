import { SparcError, type ErrorCode } from '@sparc/protocol/errors';

export interface Trouble {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What stands in the way of the mesh, for people. What has no code comes from libp2p or the system. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof SparcError) return { code: error.code, message: error.message };
  return { code: 'ERR_MESH_START_FAILED', message: error instanceof Error ? error.message : String(error) };
}
