import type { AppendedEntry, Clock, FieldBus, Journal, Random } from '@sparc/protocol/ports';
import type { AuthorisationHost } from '../host/index.js';
import type { LinkageStore } from '../linkage/index.js';
import type { Claim } from '../passages/index.js';
import type { RecordedRevocations, RevocationStore } from '../revocation/index.js';
import type { ModeStore, SiteModeDeps } from '../site-mode/index.js';
import type { VisitorStore } from '../visitors/index.js';
import type { DirectedSite } from './directed.js';
import type { FieldLog } from './recorder.js';

export interface FieldDeps {
  readonly clock: Clock;
  readonly fieldBus: FieldBus;
  readonly journal: Journal;
  readonly log: FieldLog;
  readonly random: Random;
  /** Other gateways hear what this one records, and this one what they do. Absent: it is alone. */
  readonly isInMesh?: boolean;
  /** Asked where an access point says so. Absent: it does not answer. */
  readonly host?: AuthorisationHost;
  /** Takes the wall clock as right from now on. Absent: the clock is not the gateway's own. */
  readonly acceptClock?: () => Promise<void>;
  /** Default: forgets with the process. */
  readonly modeStore?: ModeStore;
  /** What the journal has of the mode of earlier runs, oldest first. Absent: nothing. */
  readonly recordedMode?: SiteModeDeps['recorded'];
  /** Default: forgets with the process. */
  readonly revocationStore?: RevocationStore;
  /** What the journal has of earlier runs. Absent: there was none. */
  readonly recordedRevocations?: () => Promise<RecordedRevocations>;
  /** Default: forgets with the process. */
  readonly visitorStore?: VisitorStore;
  /** Default: forgets with the process. */
  readonly linkageStore?: LinkageStore;
  /** Of the site that it is a member of. Absent: of none, and nobody directs it. */
  readonly directives?: DirectedSite;
  /** The claims of earlier runs about who passed where, oldest first. Absent: there was none. */
  readonly claims?: () => Promise<readonly Claim[]>;
}

export interface FieldOptions {
  /** Something of the snapshot changed; at most once in `CHANGE_PAUSE_MS`. */
  readonly onChange?: () => void;
  /** Every entry of the field that is on disk. Must not block, and what it throws is logged. */
  readonly onRecord?: (entry: AppendedEntry) => void;
}
