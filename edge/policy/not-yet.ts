import type { FieldExplanation } from '../config/index.js';

/** Well-known rules of access control that this version does not enforce, by the names people give them. */
const NOT_YET: readonly (readonly [names: readonly string[], what: string])[] = [
  [['lockdown', 'lockdownOverride'], 'lockdown as a field of the site file'],
  [['visitors', 'temporaryGrants'], 'temporary grants'],
];
const WHAT_BY_NAME = new Map(NOT_YET.flatMap(([names, what]) => names.map((name) => [name, what] as const)));

/** Says which unknown field of a site file is a rule to come: left out silently, people would rely on it. */
export const explainNotYet: FieldExplanation = (field) => {
  const what = WHAT_BY_NAME.get(field);
  return what === undefined
    ? undefined
    : {
        code: 'ERR_POLICY_NOT_SUPPORTED_YET',
        message: `${what} is not supported yet: nothing would enforce it, so remove the field`,
      };
};
