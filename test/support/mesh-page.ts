import type { Test } from 'tap';
import type { Browser } from 'playwright-core';
import {
  MESH_OFF,
  type FieldAnswer,
  type HeadView,
  type MemberView,
  type MeshView,
  type SiteSnapshot,
} from '@sparc/edge/api';
import { buildApi, EventLog, EventStreams, FieldRequests, MeshFeed, SiteState } from '@sparc/edge/api/server';
import { NO_PLACES, type Places } from '@sparc/edge/policy';
import { NO_DELIVERY, type DeliveryView } from '@sparc/protocol/delivery';
import { NO_COMMISSIONING, siteSnapshot } from './site-fixture.js';
import { systemClock } from './system-clock.js';

const MINUTE_MS = 60_000;
const KEY_BYTES = 32;

export const keyOf = (at: number): string => at.toString(16).padStart(2, '0').repeat(KEY_BYTES);

export const headOf = (author: string, sequence: number): HeadView => ({
  site: 'harbour',
  author,
  epoch: { counter: 3, random: '00'.repeat(8) },
  sequence,
  hash: '11'.repeat(KEY_BYTES),
  signature: '22'.repeat(2 * KEY_BYTES),
});

/** A mesh in which all hear each other; the first one is the gateway that is asked. */
export function meshOf(...names: readonly string[]): MeshView {
  const nowMs = Date.now();
  const keys = names.map((_, at) => keyOf(at + 1));
  const members = names.map((name, at): MemberView => {
    const common = { key: keys[at] ?? '', name, addresses: [], hears: keys.filter((_, other) => other !== at) };
    if (at === 0) return { ...common, isSelf: true, isReached: true };
    const link = { hereSinceUnixMs: nowMs - 3 * MINUTE_MS, roundTripMs: 0.4, ownMissingCount: 0 };
    return { ...common, isSelf: false, isReached: true, ...link };
  });
  return {
    ...MESH_OFF,
    state: 'running',
    roster: { site: 'harbour', epoch: 4, issuedUnixMs: nowMs - MINUTE_MS, notAfterUnixMs: nowMs + MINUTE_MS },
    listensAt: ['10.0.0.5:7400'],
    members,
    partitions: [keys],
    logs: members.map(({ key, name }, at) => ({ author: key, name, heads: [headOf(key, 10 + at)], behindCount: 0 })),
    own: { replicasCount: names.length - 1, unreplicatedCount: 0 },
  };
}

/** Members with these changes, each by its name. */
export const changed = (view: MeshView, changes: Readonly<Record<string, Partial<MemberView>>>): MeshView => ({
  ...view,
  members: view.members.map((member) => ({ ...member, ...changes[member.name] })),
});

/** What a page is shown, as a test sets it. */
export interface ShownSite {
  readonly mesh: MeshView;
  readonly delivery?: DeliveryView;
  readonly places?: Places;
  readonly snapshot?: SiteSnapshot;
}

export interface PageOptions {
  /** Of the view that it opens with. */
  readonly hash?: string;
  readonly viewport?: { readonly width: number; readonly height: number };
  /** What the field answers to a request; without it, nothing. */
  readonly answer?: (action: unknown) => FieldAnswer;
}

/** A page that looks at the API of a gateway whose mesh a test sets. */
export async function openMeshPage(t: Test, browser: Browser, mesh: MeshView, viewport?: PageOptions['viewport']) {
  const { show, ...opened } = await openPage(t, browser, { mesh }, { ...(viewport && { viewport }) });
  return { ...opened, show: (next: MeshView) => show({ mesh: next }) };
}

/** The same with all that the views of a site show. */
export async function openPage(
  t: Test,
  browser: Browser,
  first: ShownSite,
  { hash = '#mesh', viewport = { width: 1280, height: 900 }, answer }: PageOptions = {},
) {
  let { mesh, delivery = NO_DELIVERY } = first;
  const { places = NO_PLACES, snapshot = siteSnapshot() } = first;
  const state = new SiteState(systemClock, undefined);
  state.apply({ kind: 'snapshot', snapshot });
  state.apply({ kind: 'commissioning', view: NO_COMMISSIONING.commissioning() });
  const streams = new EventStreams(systemClock);
  const feed = new MeshFeed(systemClock, streams, { mesh: () => mesh, delivery: () => delivery });
  const requests = new FieldRequests(systemClock, (message) => {
    if (message.kind !== 'request' || answer === undefined) return;
    requests.answered(message.id, answer(message.action));
  });
  const api = buildApi({
    state,
    log: new EventLog({ read: () => [] }),
    streams,
    requests,
    mesh: () => mesh,
    places: () => places,
    delivery: { delivery: () => delivery, directive: () => undefined },
    logLevel: 'silent',
  });
  feed.start();
  const context = await browser.newContext({ viewport });
  t.teardown(async () => {
    await context.close();
    feed.stop();
    streams.close();
    await api.close();
  });
  const url = await api.listen({ host: '127.0.0.1', port: 0 });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${url}${hash}`);
  const show = (next: Partial<Pick<ShownSite, 'mesh' | 'delivery' | 'snapshot'>>) => {
    mesh = next.mesh ?? mesh;
    delivery = next.delivery ?? delivery;
    if (next.snapshot !== undefined) {
      state.apply({ kind: 'snapshot', snapshot: next.snapshot });
      streams.state('site', state.view());
    }
    feed.directive();
  };
  return { page, complaints, show };
}
