/**
 * Revisions of a site's policy: signed lists of parts that are named by their content, so that a gateway takes only what
 * it lacks, from anybody. A part holds deflated lines of JSON of one section; index parts list the parts; the body of an
 * entry in the log of the authority names the index parts.
 * @packageDocumentation
 */
export * from './bodies.js';
export * from './course.js';
export * from './cut-revision.js';
export * from './final-rejection.js';
export * from './part-refs.js';
export { intactPart } from './part-lines.js';
export * from './part-tools.js';
export { PEOPLE_SECTIONS, type PeopleSection } from './people.js';
export * from './read-revision.js';
export type { Gap, RevisionChange } from './revision-change.js';
