/** Codes of the simulator. */
export const SIMULATOR_ERRORS = {
  ERR_SIMULATOR_LINE: {
    meaning: 'A simulated serial line could not be made.',
    action: 'Install socat, or let the simulator use TCP.',
  },
} as const;
