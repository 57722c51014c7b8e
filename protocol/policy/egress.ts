import type { AccessPoint } from './access-point.js';

/** True where nobody may be kept in: a way out, and no independent other one on record. */
export const isEgress = ({ direction, independentEgress }: AccessPoint): boolean =>
  direction === 'exit' && independentEgress !== true;

/** True where a host has a say: never about somebody who wants out. */
export const asksHost = (accessPoint: AccessPoint): boolean =>
  accessPoint.hostAuthorisation !== undefined && !isEgress(accessPoint);
