import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Demo, DEMO_PORT_COUNT, freePorts, offlineSite, runOffline } from '@sparc/simulator/live';
import t from 'tap';

t.test(
  'three gateways without a cloud keep every promise through cuts, a crash, a lockdown and the heal',
  async (t) => {
    const dataPath = await mkdtemp(join(tmpdir(), 'sparc-offline-'));
    t.teardown(() => rm(dataPath, { recursive: true, force: true }));
    const port = await freePorts(DEMO_PORT_COUNT);
    const demo = new Demo({
      dataPath,
      port,
      kind: 'tcp',
      siteOf: offlineSite,
      onFailed: (error) => t.fail(error.message),
    });
    t.teardown(() => demo.stop());
    const running = await demo.start();
    t.equal(demo.kind, 'tcp');
    t.equal((await stat(demo.folder.operatorKeyFile)).mode & 0o777, 0o600);

    const lines: string[] = [];
    const isKept = await runOffline(demo, running, { print: (text) => lines.push(text), visitorsPerDoor: 4 });
    const said = lines.join('\n');
    t.ok(isKept, said);
    t.match(said, /Basement +NOT REACHED/, 'the operator is told who did not hear of the lockdown');
    t.match(said, /broken promises +0$/);
    t.match(said, /decisions +[1-9]\d*: [1-9]\d* granted, [1-9]\d* denied/);
    t.match(said, /denied: lockdown +[3-9]/);
    t.match(said, /replicas +4 logs on 3 gateways, \d+ entries on each, all the same/);
    t.match(said, /directives +2 given/);
  },
);
