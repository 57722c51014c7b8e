import { SparcError } from '@sparc/protocol/errors';

/** Waits until a server listens. Throws ERR_CONFIG_ADDRESS_TAKEN where the system does not let it; anything else is a defect. */
export async function listening(listen: Promise<unknown>): Promise<void> {
  try {
    await listen;
  } catch (error) {
    const { syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new SparcError('ERR_CONFIG_ADDRESS_TAKEN', message, {}, { cause: error });
  }
}
