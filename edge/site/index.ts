/**
 * The site part: a child process that serves the state of the site, its events and the console on loopback, and runs the
 * mesh. It hears the field over process messages and is never asked by a decision. This is its parent's side; `main.ts` is
 * the child's.
 * @packageDocumentation
 */
export { SITE_BACKLOG_MAX, SiteProcess, type SiteProcessHandlers } from './site-process.js';
