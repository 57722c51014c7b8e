import { everybody, IDS, openCopyScene, person } from './copy-scene.js';
import { openPolicyScene } from './policy-scene.js';
import type { Manifest } from '@sparc/edge/policy';

interface Application {
  /** What is in force before. */
  readonly begin: (dataDir: string) => void;
  readonly apply: (dataDir: string) => Manifest;
  /** Of what answers under both. */
  readonly identifierKey: string;
}

const others = everybody({ holders: IDS.map((id) => person(id, id === IDS[42] ? { name: 'Ada' } : {})) });

/** Ways in which a policy comes into force. */
export const APPLICATIONS = {
  'a site file': {
    begin: (dataDir) => openPolicyScene(dataDir).apply(),
    apply: (dataDir) => openPolicyScene(dataDir).apply(),
    identifierKey: 'h10301:123:4567',
  },
  'a revision that is like the one before': {
    begin: (dataDir) => openCopyScene(dataDir).apply(everybody()),
    apply: (dataDir) => openCopyScene(dataDir).apply(others),
    identifierKey: 'raw:32:00000007',
  },
} as const satisfies Readonly<Record<string, Application>>;
