import { constants, setPriority } from 'node:os';
import { createNodeClock, freeBytesAt, gatewayChannel, loadIdentity, nodeRandom } from '../../platform/index.js';
import { PolicyLane, type LaneRejection } from '../policy-lane.js';

/** What the field hands over, as JSON in the first argument. */
export interface LaneOptions {
  readonly dataDir: string;
  readonly busIds: readonly string[];
}

/** Notifications of the file system say nothing of what SQLite maps into memory. */
const LOOK_INTERVAL_MS = 250;

// A door that opens is worth more than a policy that comes a second later.
setPriority(constants.priority.PRIORITY_LOW);
// It hears nothing; without its gateway nobody would use what it makes.
const field = gatewayChannel({ onLine: () => undefined, onClose: () => process.exit(0) });
// Ctrl-C reaches the whole process group; the gateway stops its parts in order.
process.on('SIGINT', () => undefined);

const { dataDir, busIds } = JSON.parse(process.argv[2] ?? '{}') as LaneOptions;
const lane = new PolicyLane({
  clock: createNodeClock(),
  random: nodeRandom,
  signer: loadIdentity(dataDir),
  dataDir,
  busIds,
  freeBytes: () => freeBytesAt(dataDir),
  onRejected: (rejection: LaneRejection) => field.send(rejection),
});
const look = () => {
  // What a large policy took of memory goes back to the system only with the process; it is started again.
  if (lane.look()) process.exit(0);
};
look();
setInterval(look, LOOK_INTERVAL_MS);
