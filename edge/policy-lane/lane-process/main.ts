import { constants, setPriority } from 'node:os';
import { createNodeClock, freeBytesAt, gatewayChannel, loadIdentity, nodeRandom } from '../../platform/index.js';
import { PolicyLane, type LaneRejection } from '../policy-lane.js';

/** What the field hands over, as JSON in the first argument. */
export interface LaneOptions {
  readonly dataDir: string;
  readonly busIds: readonly string[];
}

/** The field says when there is something to build; what it was not told of is found by this. */
const LOOK_INTERVAL_MS = 1_000;
/** Bytes by which its resident memory may have grown when it goes on: a policy of some thousand people takes less. */
const GROWTH_KEPT_MAX = 33_554_432;

// A door that opens is worth more than a policy that comes a second later.
setPriority(constants.priority.PRIORITY_LOW);
// Without its gateway nobody would use what it makes.
const field = gatewayChannel({ onLine: () => look(), onClose: () => process.exit(0) });
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

const startBytes = process.memoryUsage.rss();

function look(): void {
  const isApplied = lane.look();
  // What a large policy took goes back to the system only with the process; it is started again.
  if (isApplied && process.memoryUsage.rss() - startBytes > GROWTH_KEPT_MAX) process.exit(0);
}
look();
setInterval(look, LOOK_INTERVAL_MS);
