import { spawn } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { SKIP_WITHOUT_NAMESPACES } from '../../support/network-namespace.js';

/** Multicast on loopback, in a network of its own, so that nobody else hears it. */
const PREPARED = 'ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo';

t.test(
  'gateways that know no address of each other meet by multicast DNS',
  { skip: SKIP_WITHOUT_NAMESPACES },
  async (t) => {
    const program = join(import.meta.dirname, '../../support/mdns-program.js');
    const child = spawn('unshare', ['-n', 'sh', '-c', `${PREPARED} && exec "$0" "$1"`, process.execPath, program]);
    let output = '';
    child.stdout.on('data', (bytes) => (output += bytes));
    child.stderr.on('data', (bytes) => (output += bytes));
    t.teardown(() => void child.kill());
    const code = await new Promise((resolve) => child.once('exit', resolve));
    t.equal(code, 0, output);
    t.match(output, 'they have met');
  },
);
