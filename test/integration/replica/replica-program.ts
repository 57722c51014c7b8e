// A process that takes a log into its replicas and nothing else, as the test of durability kills it.
//   node replica-program.js REPLICA_FILE
// It appends for as long as it lives and prints, a line each, the sequence up to which the store gave its word.
import { writeSync } from 'node:fs';
import { SqliteReplicaStore } from '@sparc/edge/replica';
import { TestChain } from '../../support/test-chain.js';

const [path = ''] = process.argv.slice(2);
const store = SqliteReplicaStore.open(path);
const chain = new TestChain();
const opened = { name: 'door.opened', doorId: 'front' };
for (let commit = chain.open(1, [opened]); ; commit = chain.add(opened, opened, opened)) {
  store.append([commit], []);
  // Written at once, so that nothing is said that did not happen before a kill.
  writeSync(1, `${commit.head.sequence}\n`);
}
