import { SparcError } from '@sparc/protocol/errors';

/** A JSON schema of an object that has these properties and no others. */
export const closed = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** Throws ERR_SIMULATOR_NOT_FOUND. */
export function found<T>(items: ReadonlyMap<string, T>, id: string, what: string): T {
  const item = items.get(id);
  if (item === undefined) throw new SparcError('ERR_SIMULATOR_NOT_FOUND', `there is no ${what} called ${id}`);
  return item;
}
