import t, { type Test } from 'tap';
import type { LogCommit, LogStore } from '@sparc/protocol/ports';
import { TestChain } from '../../support/test-chain.js';

/** One log on one disk, as a machine sees it. */
export interface LogStoreHarness {
  /** Opens the log as a process does that finds what an earlier one left; the earlier one is gone, in order or not. */
  open(): Promise<LogStore>;
  /** The disk refuses commits, or takes them again. */
  refuse(refusing: boolean): void;
  remove(): Promise<void>;
}

const opened = { name: 'door.opened', doorId: 'front' };
const withRecovery = (commit: LogCommit, ...bytes: number[]) => ({ ...commit, recovery: Uint8Array.from(bytes) });

/** What every LogStore keeps: run it against each implementation. */
export function logStoreContract(name: string, make: () => Promise<LogStoreHarness>): void {
  const behaves = (behaviour: string, run: (t: Test, harness: LogStoreHarness) => Promise<void>) =>
    t.test(`${name}: ${behaviour}`, async (t) => {
      const harness = await make();
      t.teardown(() => harness.remove());
      await run(t, harness);
    });

  behaves('a log that was never written has no tail and no entries', async (t, harness) => {
    const store = await harness.open();
    t.equal(store.tail(), undefined);
    t.same(store.entries(undefined, 10), []);
  });

  behaves('what was committed is there byte for byte, now and after a new start', async (t, harness) => {
    const chain = new TestChain();
    const first = withRecovery(chain.open(1, [opened]), 1);
    const second = withRecovery(chain.add(opened, opened), 2, 3);
    let store = await harness.open();
    await store.commit(first);
    await store.commit(second);
    for (const when of ['now', 'after a new start']) {
      t.same(store.tail(), { head: second.head, recovery: second.recovery }, when);
      t.same(store.entries(undefined, 10), [...first.entries, ...second.entries], when);
      if (when === 'now') store = await harness.open();
    }
  });

  behaves('a log goes on over epochs, and over starts', async (t, harness) => {
    const chain = new TestChain();
    const commits = [chain.open(1, [opened]), chain.open(2), chain.add(opened), chain.open(7, [opened])];
    for (const commit of commits) await (await harness.open()).commit(commit);
    const store = await harness.open();
    t.same(store.tail()?.head, commits[3]?.head);
    t.same(
      store.entries(undefined, 10),
      commits.flatMap(({ entries }) => entries),
    );
  });

  behaves('entries are read in parts, over the border of epochs', async (t, harness) => {
    const chain = new TestChain();
    const store = await harness.open();
    const commits = [chain.open(1, [opened, opened]), chain.open(2, [opened])];
    for (const commit of commits) await store.commit(commit);
    const all = commits.flatMap(({ entries }) => entries);
    t.same(store.entries(undefined, 2), all.slice(0, 2));
    t.same(store.entries({ epoch: 1, sequence: 2 }, 2), all.slice(2, 4));
    t.same(store.entries({ epoch: 1, sequence: 3 }, 1), all.slice(3, 4));
    t.same(store.entries({ epoch: 2, sequence: 1 }, 9), all.slice(4));
    t.same(store.entries({ epoch: 2, sequence: 2 }, 9), []);
  });

  behaves('a refused commit leaves nothing, and the same entries can be committed later', async (t, harness) => {
    const chain = new TestChain();
    const store = await harness.open();
    const first = chain.open(1);
    const second = chain.add(opened, opened);
    await store.commit(first);
    harness.refuse(true);
    await t.rejects(store.commit(second), { code: 'ERR_LEDGER_WRITE_FAILED' });
    t.same(store.tail()?.head, first.head);
    t.same(store.entries(undefined, 10), first.entries);
    harness.refuse(false);
    await store.commit(second);
    t.same((await harness.open()).entries(undefined, 10), [...first.entries, ...second.entries]);
  });

  behaves('rest keeps everything', async (t, harness) => {
    const chain = new TestChain();
    const store = await harness.open();
    const commits = [chain.open(1), ...Array.from({ length: 400 }, () => chain.add(opened))];
    for (const commit of commits) {
      await store.commit(commit);
      store.rest();
    }
    t.same(
      store.entries(undefined, 500),
      commits.flatMap(({ entries }) => entries),
    );
    t.same(store.tail()?.head, chain.head);
  });
}
