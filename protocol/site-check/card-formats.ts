import { CARD_FORMATS, RAW_FORMAT_ID, type CardFormat } from '../card-format/index.js';

/** What a site file may name. */
export const CARD_FORMAT_IDS: readonly string[] = [...CARD_FORMATS.map(({ id }) => id), RAW_FORMAT_ID];

/** Largest value of the fields a format has. */
export function valuesMax({ facility, issue }: CardFormat): { facility?: number; issue?: number } {
  return {
    ...(facility && { facility: 2 ** (facility[1] - facility[0] + 1) - 1 }),
    ...(issue && { issue: 2 ** (issue[1] - issue[0] + 1) - 1 }),
  };
}
