import { SparcError } from '@sparc/protocol/errors';
import type { PdId } from '@sparc/protocol/osdp';
import type { BundleManifest } from './manifest.js';

type Target = BundleManifest['target'];

export const firmwareText = ({ firmware: { major, minor, build } }: PdId): string => `${major}.${minor}.${build}`;

/** True where the bundle is for this hardware and the device already runs what it brings. */
export const hasBundle = ({ target, firmwareAfter }: BundleManifest, id: PdId): boolean =>
  firmwareAfter === firmwareText(id) && hardwareProblems(target, id).length === 0;

/** Throws ERR_BUNDLE_INCOMPATIBLE with everything that does not fit. */
export function assertCompatible({ target }: BundleManifest, deviceId: string, id: PdId): void {
  const problems = [...hardwareProblems(target, id), ...firmwareProblems(target, id)];
  if (problems.length === 0) return;
  throw new SparcError('ERR_BUNDLE_INCOMPATIBLE', `${deviceId}: ${problems.join('; ')}`, { deviceId, problems });
}

function hardwareProblems({ vendor, models, hardwareVersions }: Target, id: PdId): string[] {
  return [
    ...(vendor === id.vendor ? [] : [`it is made by ${id.vendor}, the bundle is for ${vendor}`]),
    ...(models.includes(id.model) ? [] : [`it is model ${id.model}, the bundle is for ${models.join(', ')}`]),
    ...(hardwareVersions === undefined || hardwareVersions.includes(id.version)
      ? []
      : [`its hardware is version ${id.version}, the bundle is for ${hardwareVersions.join(', ')}`]),
  ];
}

function firmwareProblems({ firmwareMin, firmwareMax }: Target, id: PdId): string[] {
  const runs = firmwareText(id);
  return [
    ...(firmwareMin === undefined || rank(runs) >= rank(firmwareMin)
      ? []
      : [`it runs firmware ${runs}, the bundle needs ${firmwareMin} or later`]),
    ...(firmwareMax === undefined || rank(runs) <= rank(firmwareMax)
      ? []
      : [`it runs firmware ${runs}, the bundle is for ${firmwareMax} or earlier`]),
  ];
}

/** Three bytes as one number, so that 1.10.0 comes after 1.9.0. */
const rank = (firmware: string): number => firmware.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
