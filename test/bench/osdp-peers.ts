import { setTimeout as sleep } from 'node:timers/promises';
import { SerialLink, transferFile, type DevicePlan } from '@sparc/firmware-bridges/osdp';
import { SeededRandom } from '@sparc/simulator/world';
import { BAUD_RATE } from '../conformance/libosdp-line.js';
import { hex, LIBOSDP, LibosdpPeer, type LibosdpDeviceConfig } from '../conformance/libosdp-peer.js';
import { CAPABILITIES, key } from '../conformance/libosdp-readers.js';
import { OurAcu } from '../conformance/our-acu.js';
import { OurPds } from '../conformance/our-pds.js';
import { eventually, PtyPair } from '../support/peers.js';
import { systemClock } from '../support/system-clock.js';
import { median, type BenchReport } from './bench.js';
import { millis } from './live-bench.js';
import { RelayedWire } from './relayed-wire.js';

const HANDSHAKES = 20;
const TRANSFERS = 5;
const SIZES = [10_000, 100_000] as const;
const ADDRESS = 1;
const SCBK = key(3);
const DEVICE_ID = 'pd';
const TRANSFER_MAX_MS = 60_000;
/** What is left of a session that just ended has gone from the line. */
const SETTLE_MS = 50;

type Stack = 'ours' | 'libosdp';

const LIBOSDP_CONFIG: LibosdpDeviceConfig = {
  address: ADDRESS,
  flags: [LIBOSDP.flag.enforceSecure],
  scbk: hex(SCBK),
  capabilities: CAPABILITIES,
};
const PLAN: DevicePlan = { deviceId: DEVICE_ID, address: ADDRESS, secureChannel: { mode: 'required', scbk: SCBK } };

/** One ACU, whoever made it. */
interface Acu {
  /** Gives the session up and opens another. */
  restart(): Promise<void>;
  /** False where it has given up. */
  send(file: Uint8Array): Promise<boolean>;
  stop(): Promise<void>;
}

async function startAcu(stack: Stack, path: string): Promise<Acu> {
  if (stack === 'libosdp') {
    const peer = await LibosdpPeer.start('acu', path, LIBOSDP_CONFIG);
    return {
      restart: () => peer.request({ do: 'restart' }),
      async send(file) {
        if (!peer.device().session.online) await peer.request({ do: 'restart' });
        await eventually('libosdp has a session', () => {
          const { online, secure } = peer.device().session;
          return online && secure;
        });
        const before = peer.device().files.length;
        await peer.request({ do: 'sendFile', number: 1, content: hex(file) });
        const isClosed = () => peer.device().files.length > before;
        await eventually('libosdp ends it', () => isClosed() || !peer.device().session.online, TRANSFER_MAX_MS);
        await sleep(SETTLE_MS);
        return isClosed() && peer.device().session.online;
      },
      stop: () => peer.stop(),
    };
  }
  const acu = new OurAcu(new SerialLink(systemClock, { path, baudRate: BAUD_RATE }), [PLAN]);
  return {
    async restart() {
      acu.bus.remove(DEVICE_ID);
      await sleep(SETTLE_MS);
      acu.bus.put(PLAN);
    },
    async send(data) {
      const result = await transferFile(acu.bus, DEVICE_ID, { fileType: 1, data });
      return result.kind === 'completed';
    },
    stop: () => acu.stop(),
  };
}

interface Pd {
  /** Forgets a file that did not come to its end: libosdp's PD takes no other before. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

async function startPd(stack: Stack, path: string): Promise<Pd> {
  if (stack === 'libosdp') {
    const peer = await LibosdpPeer.start('pd', path, LIBOSDP_CONFIG);
    return { reset: () => peer.request({ do: 'reset' }), stop: () => peer.stop() };
  }
  const link = new SerialLink(systemClock, { path, baudRate: BAUD_RATE });
  const pds = new OurPds(link, [{ address: ADDRESS, scbk: SCBK, file: { sizeMax: Math.max(...SIZES) } }]);
  pds.pd().onDoing = (doing) =>
    doing.kind === 'file' && doing.complete ? { kind: 'file', verdict: 'processed' } : undefined;
  return { reset: async () => pds.pd().reset(), stop: () => pds.stop() };
}

interface Figures {
  readonly acu: Stack;
  readonly pd: Stack;
  readonly handshakeMs: number;
  readonly transfers: readonly { readonly size: number; readonly durationMs: number; readonly commandsCount: number }[];
}

async function measure(acuStack: Stack, pdStack: Stack): Promise<Figures> {
  const [left, right] = [await PtyPair.create(), await PtyPair.create()];
  const wire = await RelayedWire.open(left.b, right.a);
  const pd = await startPd(pdStack, right.b);
  const acu = await startAcu(acuStack, left.a);
  try {
    const random = new SeededRandom(5);
    await eventually('there is a session', () => wire.handshakesMs.length > 0);
    for (let count = 0; count < HANDSHAKES; count++) {
      await sleep(SETTLE_MS);
      const before = wire.handshakesMs.length;
      await acu.restart();
      await eventually('there is a session again', () => wire.handshakesMs.length > before);
    }
    await sleep(1_000);
    const transfers = [];
    for (const size of SIZES) {
      const rounds = [];
      for (let round = 0; round < TRANSFERS; round++) {
        const file = random.bytes(size);
        wire.forgetTransfer();
        while (!(await acu.send(file))) {
          await pd.reset();
          wire.forgetTransfer();
        }
        rounds.push(wire.transfer());
      }
      transfers.push({
        size,
        durationMs: median(rounds.map(({ durationMs }) => durationMs)),
        commandsCount: median(rounds.map(({ commandsCount }) => commandsCount)),
      });
    }
    return { acu: acuStack, pd: pdStack, handshakeMs: median(wire.handshakesMs), transfers };
  } finally {
    await acu.stop();
    await pd.stop();
    await wire.close();
    await left.remove();
    await right.remove();
  }
}

/** The same line, our stack and libosdp at either end, measured on the line itself. */
export async function run(): Promise<BenchReport> {
  const figures: Figures[] = [];
  for (const acu of ['ours', 'libosdp'] as const) {
    for (const pd of ['ours', 'libosdp'] as const) figures.push(await measure(acu, pd));
  }
  const at = (acu: Stack, pd: Stack) => figures.find((each) => each.acu === acu && each.pd === pd);
  const slowestOf = (acu: Stack, pd: Stack) => at(acu, pd)?.transfers.at(-1)?.durationMs ?? NaN;
  const [oursMs, libosdpMs] = [slowestOf('ours', 'libosdp'), slowestOf('libosdp', 'libosdp')];
  return {
    title: 'Handshake and file transfer beside libosdp',
    method: [
      'Every pair of ACU and PD, ours and libosdp 3.2.9, on pseudo-terminals that a relay connects and times: from CHLNG to R-MAC_I, and ' +
        'from the first FILETRANSFER to the last FTSTAT, all in Secure Channel. Pseudo-terminals carry bytes at once, so the time is that of the ' +
        `stacks. Medians of ${HANDSHAKES} handshakes and ${TRANSFERS} transfers.`,
      'libosdp runs in a Python process that calls it whenever bytes come, and every 2 ms otherwise; its frames have at most 256 bytes. Our ends share ' +
        'one process with the relay, and our PD waits 2 ms before each answer, as devices do. Polls go on between fragments. A transfer that libosdp gave up is repeated.',
    ],
    targets: [
      {
        what: '100 kB to a libosdp PD, our ACU beside the ACU of libosdp',
        target: 'no slower',
        measured: `${millis(oursMs)} ms, ${millis(libosdpMs)} ms`,
        met: oursMs <= libosdpMs,
      },
    ],
    tables: [
      {
        caption: 'Handshake',
        columns: ['ACU', 'PD', 'CHLNG to R-MAC_I, ms'],
        rows: figures.map(({ acu, pd, handshakeMs }) => [acu, pd, millis(handshakeMs)]),
      },
      {
        caption: 'File transfer',
        columns: ['ACU', 'PD', 'bytes', 'ms', 'kB/s', 'FILETRANSFER commands'],
        rows: figures.flatMap(({ acu, pd, transfers }) =>
          transfers.map(({ size, durationMs, commandsCount }) => [
            acu,
            pd,
            size,
            millis(durationMs),
            millis(size / durationMs),
            commandsCount,
          ]),
        ),
      },
    ],
  };
}
