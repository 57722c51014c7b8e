import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';
import { skipWithout } from './peers.js';

/** Debian's; a browser build of Playwright's own is not needed. */
const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';

export const SKIP_WITHOUT_CHROMIUM = skipWithout(
  'chromium',
  existsSync(EXECUTABLE),
  'apt-get install chromium, or name one by CHROMIUM=/path',
);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
