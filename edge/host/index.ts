/**
 * The host that has a say in passages: asked last, within a stated time, with a stated fallback.
 * @packageDocumentation
 */
export type { AuthorisationHost, HostQuestion } from './authorisation-host.js';
export { HOST_QUESTIONS_MAX, HostDesk, type HostDeskDeps } from './host-desk.js';
export { HttpHost, type HttpHostOptions } from './http-host.js';
