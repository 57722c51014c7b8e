import { SparcError } from '@sparc/protocol/errors';

/** With or without a port: a tunnel may map it. */
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * The API has no login: whoever reaches loopback may read it. A page elsewhere could let its own name resolve to
 * 127.0.0.1 and so read it with the browser of somebody here (DNS rebinding); its requests carry its own name.
 * Throws ERR_API_HOST_REFUSED.
 */
export function assertLoopbackHost(host: string | undefined): void {
  if (host === undefined || !LOOPBACK_HOST.test(host)) {
    throw new SparcError('ERR_API_HOST_REFUSED', `the host ${JSON.stringify(host?.slice(0, 128))} is not served here`);
  }
}

/** Headers of every answer. No CORS: other origins get nothing. */
export function securityHeaders(simulatorUrl: string | undefined): Record<string, string> {
  const connections = ["'self'", ...(simulatorUrl === undefined ? [] : [new URL(simulatorUrl).origin])].join(' ');
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src ${connections}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}
