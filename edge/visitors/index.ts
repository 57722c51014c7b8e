/**
 * Visitors: whom an operator lets in for a time, laid over every revision of the policy and outranked by whatever it says.
 * @packageDocumentation
 */
export {
  VISITORS_MAX,
  VISITORS_OF_ONE_MAX,
  VisitorBook,
  VOLATILE_VISITORS,
  type GivenVisitor,
  type VisitorStore,
} from './visitor-book.js';
export { VisitorFile } from './visitor-file.js';
