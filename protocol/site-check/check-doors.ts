import type { JsonPath } from '../document/index.js';
import { isEgress, type AccessPoint, type Door } from '../policy/index.js';
import type { SiteCheck } from './site-check.js';

type Once = ReturnType<SiteCheck['once']>;

export function checkDoors(check: SiteCheck): void {
  const outputOnce = check.once('names an output that');
  const inputOnce = check.once('names an input that');
  for (const [index, door] of check.entries('doors')) {
    checkOutputs(check, door, ['doors', index], outputOnce);
    checkInputs(check, door, ['doors', index], inputOnce);
    checkMasks(check, door, ['doors', index]);
    checkFire(check, door, ['doors', index]);
    checkInterlocks(check, door, ['doors', index]);
    if (door.unlockSchedule !== undefined) {
      check.refer('schedules', door.unlockSchedule, ['doors', index, 'unlockSchedule']);
    }
    const { preAlarmTimeMs = 0, openTimeMs } = door.timings ?? {};
    if (openTimeMs !== undefined && preAlarmTimeMs >= openTimeMs) {
      check.refuse(['doors', index, 'timings', 'preAlarmTimeMs'], 'must be less than openTimeMs: it ends with it');
    }
  }
  const readerOnce = check.once('names a reader that');
  for (const [index, accessPoint] of check.entries('accessPoints')) {
    checkAccessPoint(check, accessPoint, ['accessPoints', index], readerOnce);
  }
}

function checkOutputs(check: SiteCheck, door: Door, path: JsonPath, outputOnce: Once): void {
  for (const role of ['lock', 'shunt', 'doubleLock'] as const) {
    const id = door[role]?.output;
    if (id === undefined) continue;
    const at = [...path, role, 'output'];
    check.refer('outputs', id, at);
    outputOnce(id, at, `door \`${door.id}\``);
    const output = check.find('outputs', id);
    const device = output && check.find('devices', output.device);
    if (device?.side === 'unsecured' && door.acceptUnsecuredSideRelay !== true) {
      check.refuse(
        at,
        `is a relay of \`${device.id}\` on the unsecured side, where whoever opens the housing opens the door: drive it from the secured side, or accept it with acceptUnsecuredSideRelay: true`,
      );
    }
  }
}

/** What is never raised needs no mask. */
function checkMasks(check: SiteCheck, door: Door, path: JsonPath): void {
  for (const alarm of ['heldAlarm', 'forcedAlarm'] as const) {
    const mask = `${alarm}Mask` as const;
    if (door[mask] === undefined) continue;
    check.refer('schedules', door[mask], [...path, mask]);
    if (door[alarm] === false) check.refuse([...path, mask], `masks nothing: ${alarm} is false`);
  }
}

function checkInputs(check: SiteCheck, door: Door, path: JsonPath, inputOnce: Once): void {
  const { contact, exitRequest } = door;
  for (const [role, input] of [
    ['contact', contact?.input],
    ['exitRequest', exitRequest?.input],
  ] as const) {
    const purpose = input === undefined ? undefined : check.find('inputs', input)?.purpose;
    if (purpose !== undefined) {
      check.refuse([...path, role, 'input'], `is an input whose purpose is ${purpose}, and so belongs to no door`);
    }
  }
  if (contact) {
    check.refer('inputs', contact.input, [...path, 'contact', 'input']);
    inputOnce(contact.input, [...path, 'contact', 'input'], `door \`${door.id}\``);
  } else {
    // Without a contact nobody knows whether the door is open.
    const useless = [
      [['heldAlarm'], door.heldAlarm === true],
      [['forcedAlarm'], door.forcedAlarm === true],
      [['heldAlarmMask'], door.heldAlarmMask !== undefined],
      [['forcedAlarmMask'], door.forcedAlarmMask !== undefined],
      [['forcedAlarmLatched'], door.forcedAlarmLatched === true],
      [['timings', 'delayTimeBeforeRelockMs'], door.timings?.delayTimeBeforeRelockMs !== undefined],
      [['timings', 'relockAfterCloseMs'], door.timings?.relockAfterCloseMs !== undefined],
      [['exitRequest', 'ignoreAfterCloseMs'], exitRequest?.ignoreAfterCloseMs !== undefined],
    ] as const;
    for (const [field, isSaid] of useless) {
      if (isSaid) check.refuse([...path, ...field], 'needs a contact, which this door does not have');
    }
  }
  if (exitRequest !== undefined) {
    check.refer('inputs', exitRequest.input, [...path, 'exitRequest', 'input']);
    inputOnce(exitRequest.input, [...path, 'exitRequest', 'input'], `door \`${door.id}\``);
  }
}

/** Software opens nothing that hardware does not open by itself (access-control 4.7). */
function checkFire(check: SiteCheck, { lock, fireRelease = 'none', fireAlarms }: Door, path: JsonPath): void {
  if (fireRelease !== 'none' && lock.type === 'failSafe' && lock.fireHardwareBreak !== true) {
    check.refuse(
      [...path, 'fireRelease'],
      'would be the only release of a lock that power holds: have the fire alarm break its power by itself, and put that on record with lock.fireHardwareBreak: true',
    );
  }
  for (const [at, id] of (fireAlarms ?? []).entries()) {
    check.refer('inputs', id, [...path, 'fireAlarms', at]);
    const input = check.find('inputs', id);
    if (input !== undefined && input.purpose !== 'fireAlarm') {
      check.refuse([...path, 'fireAlarms', at], `names \`${id}\`, whose purpose is not fireAlarm`);
    }
  }
}

/** An airlock is made of contacts: of a door that cannot say that it is closed, nothing is known. */
function checkInterlocks(check: SiteCheck, door: Door, path: JsonPath): void {
  if (door.interlocks === undefined) return;
  const at = [...path, 'interlocks'];
  if (!door.contact) check.refuse(at, 'needs a contact, which this door does not have');
  if (door.unlockSchedule !== undefined) {
    check.refuse([...path, 'unlockSchedule'], 'would hold this door of an airlock open, and keep its other doors shut');
  }
  const others = [...check.entries('doors')].filter(([, { id }]) => id !== door.id);
  for (const [position, name] of door.interlocks.entries()) {
    const isShared = others.some(([, { interlocks }]) => interlocks?.includes(name));
    if (!isShared)
      check.refuse([...at, position], `is \`${name}\`, which no other door names: it would exclude nothing`);
  }
}

function checkAccessPoint(check: SiteCheck, accessPoint: AccessPoint, path: JsonPath, readerOnce: Once): void {
  const { id, door, reader, direction, areaFrom, areaTo, independentEgress } = accessPoint;
  check.refer('doors', door, [...path, 'door']);
  check.refer('readers', reader, [...path, 'reader']);
  if (accessPoint.toggleWindowMs !== undefined && check.find('doors', door)?.interlocks !== undefined) {
    check.refuse(
      [...path, 'toggleWindowMs'],
      `would hold \`${door}\` of an airlock open, and keep its other doors shut`,
    );
  }
  for (const [at, { schedule }] of (accessPoint.scheduledAuthentication ?? []).entries()) {
    check.refer('schedules', schedule, [...path, 'scheduledAuthentication', at, 'schedule']);
  }
  checkCompany(check, accessPoint, path);
  readerOnce(reader, [...path, 'reader'], `access point \`${id}\``);
  if (areaFrom !== undefined) check.refer('areas', areaFrom, [...path, 'areaFrom']);
  if (areaTo !== undefined) check.refer('areas', areaTo, [...path, 'areaTo']);
  if (areaFrom !== undefined && areaFrom === areaTo) {
    check.refuse([...path, 'areaTo'], 'is areaFrom again: a passage leads from one area to another');
  }
  if (direction === 'entry' && independentEgress !== undefined) {
    check.refuse([...path, 'independentEgress'], 'is a matter of exits only', { at: 'key' });
  }
  const exitRequest = check.find('doors', door)?.exitRequest;
  if (direction === 'exit' && independentEgress !== true && exitRequest?.releases !== true) {
    // An unknown or stolen card is denied at an exit too; nobody may be kept in by that.
    check.refuse(
      [...path, 'direction'],
      `is exit, and \`${door}\` has no other way out on record: give the door an exitRequest that releases, or say independentEgress: true if people can leave without this reader`,
    );
  }
  const exitDevice =
    direction === 'exit' ? check.find('devices', check.find('readers', reader)?.device ?? '') : undefined;
  if (exitDevice?.side === 'unsecured') {
    // At an exit most checks grant and flag: from outside, such a reader would let people in against their rights.
    check.refuse([...path, 'reader'], `is on the unsecured side (\`${exitDevice.id}\`), and exit readers are not`);
  }
}

/** What depends on other people, or on a host, has to be asked for where it is given times. */
function checkCompany(check: SiteCheck, accessPoint: AccessPoint, path: JsonPath): void {
  const { authentication, scheduledAuthentication = [], twoPersonWindowMs, hostAuthorisation } = accessPoint;
  const asked = [authentication, ...scheduledAuthentication.map((each) => each.authentication)];
  if (twoPersonWindowMs !== undefined && !asked.includes('twoCards')) {
    check.refuse([...path, 'twoPersonWindowMs'], 'needs authentication: twoCards, at some time at least', {
      at: 'key',
    });
  }
  if (hostAuthorisation !== undefined && isEgress(accessPoint)) {
    check.refuse(
      [...path, 'hostAuthorisation'],
      'is asked for at a way out: nobody is kept in by a host. If people can leave without this reader, say independentEgress: true',
      { at: 'key' },
    );
  }
}
