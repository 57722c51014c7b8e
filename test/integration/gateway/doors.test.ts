import t from 'tap';
import type { LineKind } from '@sparc/simulator/live';
import { LiveGateway } from '../../support/live-gateway.js';
import { liveSiteFile, PIN, RELEASE_TIME_MS } from '../../support/live-site-file.js';
import { eventually, SKIP_WITHOUT_SOCAT } from '../../support/peers.js';

const SITE = liveSiteFile([
  { id: 'front', bus: 'bus-a' },
  { id: 'vault', bus: 'bus-b', accessPoint: { authentication: 'cardAndPin', pinTimeoutMs: 60_000 } },
]);

for (const kind of ['tcp', 'pty'] as const satisfies readonly LineKind[]) {
  const skip = kind === 'pty' ? SKIP_WITHOUT_SOCAT : false;
  t.test(
    `a whole gateway over ${kind}: cards, a PIN and an exit button open doors, and events tell it`,
    { skip },
    async (t) => {
      const gateway = await LiveGateway.create({ site: SITE, kind });
      t.teardown(() => gateway.remove());
      await gateway.startOnline();
      await eventually('the API answers', () => gateway.isServing());
      const front = gateway.lock('front');
      const vault = gateway.lock('vault');

      // Pulled as soon as it is released: a busy machine may come back to it when it is locked again.
      const isOpen = () => gateway.live.doors.get('front')?.pull() === true;
      await gateway.presented('front-reader', 'card-1', 'the front door opens', isOpen);
      await eventually('it relocks by itself', () => !front.released);
      const [opened, closed] = front.movements;
      t.match((closed?.atMs ?? 0) - (opened?.atMs ?? 0) > RELEASE_TIME_MS - 200, true, 'not before its time');
      gateway.live.doors.get('front')?.close();
      const grant = await gateway.event(({ name }) => name === 'access.granted', 'the grant');
      const used = await gateway.event(({ name }) => name === 'access.used', 'it is used');
      t.match(grant, { accessPointId: 'front-in', doorId: 'front', credentialId: 'card-1', holderId: 'ada' });
      t.match(used.causeId, { epoch: grant.epoch, sequence: grant.sequence });

      let typedCount = 0;
      await gateway.presented('vault-reader', 'card-pin', 'card and PIN release the vault', () => {
        const pendingCount = gateway.events.filter(({ name }) => name === 'access.pin_pending').length;
        if (pendingCount > typedCount) {
          t.notOk(vault.released, 'the card waits for its PIN');
          for (const key of `${PIN}#`) gateway.live.readers.get('vault-reader')?.pressKeys(key);
        }
        typedCount = pendingCount;
        return vault.released;
      });
      t.ok(typedCount > 0, 'not before its PIN');

      gateway.live.doors.get('front')?.pressExitButton(300);
      await eventually('the exit button releases', () => front.movements.length === 3);
      const exit = await gateway.event(({ name }) => name === 'exit.released', 'the exit');
      t.match(exit, { doorId: 'front' });
      await eventually('both relock', () => !front.released && !vault.released);

      const movements = front.movements.length;
      for (const [cardId, reason] of [
        ['card-lost', 'credential_lost'],
        ['card-none', 'no_right'],
      ] as const) {
        const isDenied = () =>
          gateway.events.some((event) => event.name === 'access.denied' && event.reason === reason);
        await gateway.presented('front-reader', cardId, reason, isDenied);
      }
      t.equal(front.movements.length, movements, 'no lock moved for a denied card');
      const { events } = await gateway.api<{ events: { name: string }[] }>('/api/events?limit=100');
      t.same(
        [
          'access.granted',
          'access.released',
          'access.used',
          'exit.released',
          'access.denied',
          'credential.alarm',
        ].filter((name) => !events.some((event) => event.name === name)),
        [],
        'the API tells all of it',
      );
      await gateway.end('SIGTERM');
      t.equal((await gateway.sparc('ledger', 'verify')).exitCode, 0);
    },
  );
}
