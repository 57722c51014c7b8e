/** Orders of rules carry it in place of a person's name. */
const RULE_AUTHOR = 'rule:';
export const authorOf = (ruleId: string): string => `${RULE_AUTHOR}${ruleId}`;
/** The rule behind an order; undefined: a person. */
export const ruleOf = (by: string | undefined): string | undefined =>
  by?.startsWith(RULE_AUTHOR) === true ? by.slice(RULE_AUTHOR.length) : undefined;
