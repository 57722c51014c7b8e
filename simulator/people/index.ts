/**
 * People at doors.
 * @packageDocumentation
 */
export { HABITS, Person, type Habits, type Passage, type ReaderFront } from './person.js';
