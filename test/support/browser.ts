import { existsSync } from 'node:fs';
import { chromium, type Browser, type Locator } from 'playwright-core';
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

/** Resolves when it says so: what a page shows arrives in parts, and names of places after what is there. */
export const says = (shown: Locator, words: RegExp): Promise<void> => shown.filter({ hasText: words }).waitFor();

const SEEN_MAX_MS = 10_000;
const ATTEMPTS_MAX = 3;

/** Does it again where nothing is seen of it: a busy machine may take a card, or come to a released lock, too late. */
export async function untilSeen(act: () => Promise<void>, seen: Locator): Promise<void> {
  for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt += 1) {
    await act();
    const isSeen = seen.waitFor({ timeout: SEEN_MAX_MS }).then(
      () => true,
      () => false,
    );
    if (await isSeen) return;
  }
  await act();
  await seen.waitFor();
}
