import type { BusesView, CommissioningView, DeviceHealthView, Finding, FoundDevice } from '../commissioning/index.js';
import { table } from './text-table.js';

/** What the commands of commissioning print for people. */

export function statusText({ window, devices, tasks, bundles, escrow }: CommissioningView): string {
  return [
    window === undefined
      ? 'Commissioning is closed.'
      : `Open for ${window.operator} until ${instant(window.endsAtUnixMs)}.`,
    '',
    ...table(
      ['reader', 'bus', 'address', 'key'],
      devices.map(({ id, bus, address, key }) => [id, bus, String(address), key]),
    ),
    ...(tasks.length === 0 ? [] : ['', ...table(TASK_COLUMNS, tasks.map(taskRow))]),
    ...(bundles.length === 0
      ? []
      : [
          '',
          ...table(
            ['bundle', 'name', 'version'],
            bundles.map(({ id, name, version }) => [id, name, version]),
          ),
        ]),
    '',
    escrow
      ? 'Keys are sealed to the recovery key of the site.'
      : 'Keys are held by this gateway alone: there is no recovery key.',
  ].join('\n');
}

const TASK_COLUMNS = ['task', 'what', 'where', 'by', 'state'];
const taskRow = ({ id, kind, device, bus, operator, state, progress, error }: CommissioningView['tasks'][number]) => [
  id,
  kind,
  device ?? bus ?? '',
  operator,
  state === 'running' ? `${Math.floor(progress * 100)} %` : [state, error?.code].filter(Boolean).join(' '),
];

export function foundText(found: readonly FoundDevice[]): string {
  if (found.length === 0) return 'Nothing answered. Check the power of the readers, and A, B and ground.';
  const isPlanned = found.some(({ device }) => device !== undefined);
  return table(
    ['address', 'baud', 'vendor', 'model', 'serial', 'firmware', ...(isPlanned ? ['in the plan'] : []), ''],
    found.map(({ address, baudRate, pdid, device, ...facts }) => [
      String(address),
      String(baudRate),
      pdid?.vendor ?? '?',
      pdid === undefined ? '?' : `${pdid.model}.${pdid.version}`,
      String(pdid?.serial ?? '?'),
      pdid?.firmware ?? '?',
      ...(isPlanned ? [device ?? '-'] : []),
      remarks(facts),
    ]),
  ).join('\n');
}

/** Devices of the plan that a search did not find. */
export function missingText(missing: CommissioningView['devices']): string[] {
  if (missing.length === 0) return [];
  const names = missing.map(({ id, address }) => `${id} (address ${address})`).join(', ');
  return ['', `Not found: ${names}. Check power and cable, or move one of the devices above there.`];
}

function remarks({
  conflict,
  defaultKey,
  secureChannel,
}: Pick<FoundDevice, 'conflict' | 'defaultKey' | 'secureChannel'>) {
  const words = [
    conflict ? 'CONFLICT: two devices answer; unplug one' : undefined,
    defaultKey === true ? 'waits for its key' : undefined,
    secureChannel === false ? 'has no Secure Channel' : undefined,
  ];
  return words.filter((word) => word !== undefined).join(', ');
}

/** The report an installer reads: figures first, then what is wrong in plain words. */
export function healthText({ buses }: BusesView): string {
  if (buses.length === 0) return 'This gateway has no bus.';
  return buses
    .map((bus) => {
      const { id, up, baudRate, predictedPollPeriodMs, pollPeriodMs, lineLoad, strayBytesCount, devices, findings } =
        bus;
      const period =
        pollPeriodMs === undefined ? 'not known yet' : `${ms(pollPeriodMs.p50)}, p99 ${ms(pollPeriodMs.p99)}`;
      return [
        `${id}: ${up ? 'up' : 'DOWN'}, ${baudRate} baud`,
        `  poll period ${period} (predicted ${ms(predictedPollPeriodMs)}, at most 1 s); line busy ${Math.round(lineLoad * 100)} %; stray bytes ${strayBytesCount}`,
        ...table(HEALTH_COLUMNS, devices.map(healthRow)).map((line) => `  ${line}`),
        ...(findings.length === 0 ? ['  All is well.'] : findings.map(findingText)),
      ].join('\n');
    })
    .join('\n\n');
}

const HEALTH_COLUMNS = [
  'reader',
  'address',
  'link',
  'key',
  'round trip',
  'sent',
  'repeats',
  'silent',
  'damaged',
  'NAKs',
  'restarts',
];

function healthRow(device: DeviceHealthView): string[] {
  const { deviceId, address, link, secure, key, roundTripMs } = device;
  return [
    deviceId,
    String(address),
    link === 'online' && secure ? 'secure' : link,
    key,
    roundTripMs === undefined ? '-' : `${ms(roundTripMs.p50)}/${ms(roundTripMs.p99)}`,
    ...[device.sentCount, device.retryCount, device.timeoutCount, device.badCheckCount].map(String),
    device.naks.map(({ code, count }) => `${code}:${count}`).join(' ') || '0',
    String(device.sessionRestartCount),
  ];
}

const MARKS: Readonly<Record<Finding['level'], string>> = { bad: '!!', warn: '! ', note: '  ' };

const findingText = ({ level, device, text, action }: Finding) =>
  `  ${MARKS[level]} ${device === undefined ? '' : `${device}: `}${text}. ${action}`;

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

export const instant = (unixMs: number) =>
  new Date(unixMs).toLocaleString(undefined, { timeStyle: 'medium', dateStyle: 'medium' });
