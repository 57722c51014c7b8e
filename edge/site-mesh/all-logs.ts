import type { OwnLog, ReadableLogs } from '../replica/index.js';

/** The own log and those of others as one. */
export const allLogs = (own: OwnLog, replicas: ReadableLogs): ReadableLogs => ({
  logs: () => new Map([...replicas.logs(), [own.author, own.log()]]),
  batchAfter: (author, after) => (author === own.author ? own.batchAfter(after) : replicas.batchAfter(author, after)),
});
