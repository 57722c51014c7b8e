import { AREA_DEPTH_MAX, areaChain, crossing, isTracked, type AccessPoint } from '../policy/index.js';
import type { SiteCheck } from './site-check.js';

/** Areas nest without circles, and where somebody counts who is in them, passages can be seen. */
export function checkAreas(check: SiteCheck): void {
  const areaOf = (id: string) => check.find('areas', id);
  for (const [index, area] of check.entries('areas')) {
    const path = ['areas', index];
    if (area.within === undefined) continue;
    check.refer('areas', area.within, [...path, 'within']);
    if (areaChain(areaOf, area.id).length === AREA_DEPTH_MAX) {
      check.refuse([...path, 'within'], `nests in a circle, or deeper than ${AREA_DEPTH_MAX - 1} areas`);
    }
  }
  for (const [index, accessPoint] of check.entries('accessPoints')) {
    const door = check.find('doors', accessPoint.door);
    if (door === undefined) continue;
    const { entered, left } = crossing(areaOf, accessPoint);
    const behind = accessPoint.direction === 'entry' ? entered : left;
    const counting = behind.find(({ countAnonymousExits }) => countAnonymousExits === true);
    if (
      counting !== undefined &&
      door.exitRequest !== undefined &&
      (door.exitRequest.quiet === true || !door.contact)
    ) {
      check.refuse(
        ['accessPoints', index, 'door'],
        `\`${door.id}\` does not tell who leaves by its exit request, which \`${counting.id}\` must know (countAnonymousExits): wire a contact, and leave out quiet`,
      );
    }
    if (door.contact) continue;
    const rule = [...entered, ...left].find(isTracked);
    if (!isCounted(accessPoint, rule !== undefined) || accessPoint.countsOnGrant === true) continue;
    check.refuse(
      ['accessPoints', index, 'door'],
      `\`${door.id}\` has no contact, so nobody knows whether a grant was used${rule ? `, which \`${rule.id}\` must know` : ''}: wire a contact, or say countsOnGrant: true`,
    );
  }
}

const isCounted = ({ reuseDelayMs }: AccessPoint, isRuled: boolean): boolean => isRuled || reuseDelayMs !== undefined;
