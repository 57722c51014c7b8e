/** Of the sentence that says in an entry why something was refused, in UTF-16 code units. */
const WHY_LENGTH_MAX = 256;

export const whyOf = (message: string): string => message.slice(0, WHY_LENGTH_MAX);
