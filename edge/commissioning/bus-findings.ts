import type { BusView, DeviceHealthView } from './bus-view.js';
import { KEY_FINDINGS, NAK_FINDINGS } from './finding-texts.js';

/** Something about a bus that a person should know, in plain words; the command line and the page show the same. */
export interface Finding {
  /** `bad`: cards are read late or not at all; `warn`: it will be; `note`: no reason to act. */
  readonly level: 'bad' | 'warn' | 'note';
  /** The reader that is concerned; without one, the line. */
  readonly device?: string;
  readonly text: string;
  readonly action: string;
}

/** A card is read when its reader is polled: people notice a wait of a second. */
const POLL_PERIOD_MAX_MS = 1_000;
/** Fewer frames, or a single accident among them, say nothing about a share. */
const SENT_MIN_COUNT = 200;
const ACCIDENTS_MIN_COUNT = 5;
/** A clean line has none at all in a day; from one in a hundred on, people notice. */
const DAMAGED_SHARE = { warn: 0.001, bad: 0.01 } as const;
const SILENT_SHARE = { warn: 0.005, bad: 0.05 } as const;
/** Of the frames sent. A reader that refuses now and then has a reason; one that goes on is set up wrongly. */
const NAK_SHARE = 0.002;
/** A PD answers within 3 ms and must within 200 ms (IEC 60839-11-5, 5.7). */
const ROUND_TRIP_SLOW_MS = 120;
/** One restart comes with every power cut of a reader. */
const RESTARTS_MIN_COUNT = 3;
/** One garbled reply leaves some dozens, and a search more. */
const STRAY_BYTES_MIN_COUNT = 500;
const STRAY_BYTES_PER_FRAME = 0.05;

const WIRING =
  'Check the termination (120 Ω at the two ends of the line and nowhere else), the cable, its shield and the ground wire.';

/** What is wrong with a bus, worst first. An empty list: all is well. */
export function busFindings(bus: BusView): readonly Finding[] {
  const findings = bus.up ? [...lineFindings(bus), ...bus.devices.flatMap(deviceFindings)] : [DOWN];
  const rank = { bad: 0, warn: 1, note: 2 };
  return findings.sort((a, b) => rank[a.level] - rank[b.level]);
}

const DOWN: Finding = {
  level: 'bad',
  text: 'the line is down: none of its readers can be reached',
  action: 'Check the adapter or converter of this bus; the log of the gateway names the reason.',
};

/** In a mesh, a device on a bus that is not of this gateway is taken for one of another. */
const EMPTY: Finding = {
  level: 'warn',
  text: 'the policy in force has no reader on this line',
  action: 'If readers hang on it, compare the `bus` of the devices in the site file with the id of this one.',
};

function lineFindings({ predictedPollPeriodMs, pollPeriodMs, strayBytesCount, echo, devices }: BusView): Finding[] {
  const sentCount = devices.reduce((sum, device) => sum + device.sentCount, 0);
  const findings: Finding[] = devices.length === 0 ? [EMPTY] : [];
  const tooLong = 'Raise the speed of the bus, or spread its readers over two buses.';
  if (predictedPollPeriodMs > POLL_PERIOD_MAX_MS) {
    const text = `a round over its readers takes ${seconds(predictedPollPeriodMs)} by arithmetic`;
    findings.push({ level: 'bad', text, action: tooLong });
  } else if (pollPeriodMs !== undefined && pollPeriodMs.p99 > POLL_PERIOD_MAX_MS) {
    const text = `a reader waits up to ${seconds(pollPeriodMs.p99)} for its turn, instead of ${seconds(predictedPollPeriodMs)}`;
    findings.push({ level: 'bad', text, action: 'Look at the readers below: repeats and silence cost the time.' });
  }
  if (strayBytesCount >= STRAY_BYTES_MIN_COUNT && strayBytesCount > sentCount * STRAY_BYTES_PER_FRAME) {
    findings.push({
      level: 'warn',
      text: `${strayBytesCount} bytes came in that belong to no reply`,
      action: `${WIRING} Look for a second master on the line, and for a device at another speed.`,
    });
  }
  if (echo) {
    findings.push({
      level: 'note',
      text: 'the adapter hears what it sends; the gateway takes it out again',
      action: 'Nothing. To spare the line, switch the echo of the adapter off.',
    });
  }
  return findings;
}

function deviceFindings(device: DeviceHealthView): Finding[] {
  const { deviceId, link, key, sentCount, badCheckCount, timeoutCount, roundTripMs, sessionRestartCount } = device;
  const findings: Finding[] = [];
  const add = (level: Finding['level'], text: string, action: string) =>
    findings.push({ level, device: deviceId, text, action });

  const keyFinding = KEY_FINDINGS[key];
  if (keyFinding !== undefined) add(keyFinding.level, keyFinding.text, keyFinding.action);
  if (link === 'offline' && keyFinding === undefined) {
    add('bad', 'does not answer', 'Check its power, its cable (A, B, ground), its address and its speed.');
  }
  // Of a reader that is away, the shares tell only that it is away.
  if (link === 'offline' || sentCount < SENT_MIN_COUNT) return findings;

  const damaged = badCheckCount / sentCount;
  if (badCheckCount >= ACCIDENTS_MIN_COUNT && damaged >= DAMAGED_SHARE.warn) {
    add(levelOf(damaged, DAMAGED_SHARE), `${percent(damaged)} of its replies are damaged`, WIRING);
  }
  const silent = timeoutCount / sentCount;
  if (timeoutCount >= ACCIDENTS_MIN_COUNT && silent >= SILENT_SHARE.warn) {
    add(
      levelOf(silent, SILENT_SHARE),
      `leaves ${percent(silent)} of its commands without an answer`,
      'Measure its supply while it beeps; check its cable, and that no other device has its address.',
    );
  }
  for (const { code, name, count } of device.naks) {
    if (count < ACCIDENTS_MIN_COUNT || count < sentCount * NAK_SHARE) continue;
    const { text, action } = NAK_FINDINGS[code] ?? NAK_FINDINGS.other;
    add('warn', `${text} (NAK ${code} ${name}, ${count} times)`, action);
  }
  if (roundTripMs !== undefined && roundTripMs.p99 > ROUND_TRIP_SLOW_MS) {
    const text = `answers slowly: ${Math.round(roundTripMs.p99)} ms`;
    add('warn', text, 'Look for a converter or an adapter that buffers; ask its maker for newer firmware.');
  }
  if (sessionRestartCount >= RESTARTS_MIN_COUNT) {
    add(
      'warn',
      `its secure session broke ${sessionRestartCount} times`,
      'Check its supply, and that no other device has its address. If neither helps, somebody may be on the line.',
    );
  }
  return findings;
}

const levelOf = (share: number, { bad }: { readonly bad: number }) => (share >= bad ? 'bad' : 'warn');

const seconds = (ms: number) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);

function percent(share: number): string {
  const value = share * 100;
  return `${value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}
