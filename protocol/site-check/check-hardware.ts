import { PLAN_LISTS } from '../policy/index.js';
import type { ListName, SiteCheck } from './site-check.js';

const LISTS_WITH_IDS: readonly ListName[] = [...PLAN_LISTS, 'accessProfiles', 'credentialHolders', 'credentials'];

/** Every id once in its list; one device at an address; each reader, input and output of a device named once. */
export function checkHardware(check: SiteCheck): void {
  for (const list of LISTS_WITH_IDS) {
    const idOnce = check.once('is the id that');
    for (const [index, { id }] of check.entries(list)) idOnce(id, [list, index, 'id'], `${list}[${index}]`);
  }

  const addressOnce = check.once('is the address that');
  for (const [index, { id, bus, address }] of check.entries('devices')) {
    addressOnce(`${bus} ${address}`, ['devices', index, 'address'], `device \`${id}\` on the same bus`);
  }
  for (const list of ['readers', 'inputs', 'outputs'] as const) {
    const numberOnce = check.once('is the number that');
    for (const [index, { id, device, number }] of check.entries(list)) {
      check.refer('devices', device, [list, index, 'device']);
      numberOnce(`${device} ${number}`, [list, index, 'number'], `\`${id}\` on the same device`);
    }
  }
}
