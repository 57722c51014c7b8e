import t from 'tap';
import { AUTHOR_SHARE, DISK_FREE_BYTES_MIN, EPOCHS_MAX, REPLICA_BYTES_MAX, ReplicaRoom } from '@sparc/edge/replica';
import type { ReplicaStore } from '@sparc/protocol/ports';
import { TestChain } from '../../support/test-chain.js';

const [GATEWAY, OTHER, AUTHORITY] = ['aa', 'bb', 'cc'].map((byte) => byte.repeat(32)) as [string, string, string];
const { head } = new TestChain().open(1);
const AUTHOR_BYTES_MAX = REPLICA_BYTES_MAX * AUTHOR_SHARE;
const PLENTY_BYTES = 1e12;

/** Whether there is room where the logs have these sizes and numbers of epochs, and the disk so many free bytes. */
function room(sizes: Readonly<Record<string, number>>, freeBytes = PLENTY_BYTES, epochsCount = 1): ReplicaRoom {
  const log = Array.from({ length: epochsCount }, () => ({ head }));
  const store: Pick<ReplicaStore, 'logs' | 'sizeBytes'> = {
    logs: () => new Map(Object.keys(sizes).map((author) => [author, log])),
    sizeBytes: (author) => sizes[author] ?? 0,
  };
  return new ReplicaRoom(store, AUTHORITY, () => freeBytes);
}

t.test('there is room for an author up to its own size', async (t) => {
  const full = room({ [GATEWAY]: AUTHOR_BYTES_MAX, [OTHER]: AUTHOR_BYTES_MAX - 1 });
  t.equal(full.fullFor(GATEWAY), 'author');
  t.equal(full.fullFor(OTHER), undefined);
  t.equal(full.fullFor('dd'.repeat(32)), undefined, 'and for one of whom nothing is held');
});

t.test('on a small disk one author has its share, and others go on', async (t) => {
  const shared = 1_000_000;
  const sizes = { [GATEWAY]: shared * AUTHOR_SHARE, [OTHER]: 1_000 };
  const small = room(sizes, DISK_FREE_BYTES_MIN + shared * (1 - AUTHOR_SHARE) - 1_000);
  t.equal(small.fullFor(GATEWAY), 'author');
  t.equal(small.fullFor(OTHER), undefined);
  const larger = room(sizes, DISK_FREE_BYTES_MIN + 2 * shared);
  t.equal(larger.fullFor(GATEWAY), undefined, 'there is room again when the disk has more');
});

t.test('a log of very many starts is not followed without end', async (t) => {
  t.equal(room({ [GATEWAY]: 1 }, undefined, EPOCHS_MAX - 1).fullFor(GATEWAY), undefined);
  t.equal(room({ [GATEWAY]: 1 }, undefined, EPOCHS_MAX).fullFor(GATEWAY), 'epochs');
});

t.test(
  'all logs together have a limit, and the own journal its reserve; the authority is heard beyond all',
  async (t) => {
    const sizes = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`${index}`.repeat(64), REPLICA_BYTES_MAX / 5]),
    );
    const full = room({ ...sizes, [AUTHORITY]: 1_000 });
    t.equal(full.fullFor('0'.repeat(64)), 'all');
    t.equal(full.fullFor(AUTHORITY), undefined);
    const low = room({ [GATEWAY]: 1, [AUTHORITY]: 1_000 }, DISK_FREE_BYTES_MIN - 1);
    t.equal(low.fullFor(GATEWAY), 'disk');
    t.equal(low.fullFor(AUTHORITY), undefined);
    const long = room({ [AUTHORITY]: AUTHOR_BYTES_MAX }, undefined, EPOCHS_MAX);
    t.equal(long.fullFor(AUTHORITY), undefined, 'and beyond what one author may have');
  },
);
