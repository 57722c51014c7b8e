import type { Clock, Timer, VerifySignature } from '@sparc/protocol/ports';
import { siteUnknown, type Database } from '../db/index.js';
import { SiteFollower, type SiteNews } from './site-follower.js';

/** While somebody watches a site. */
export const FOLLOW_INTERVAL_MS = 500;
/** A site that nobody asked about for so long is forgotten, and read anew when somebody does. */
export const FOLLOWER_IDLE_MAX_MS = 600_000;
/** The one that was asked about longest ago goes. */
export const FOLLOWERS_MAX = 256;

export interface SiteFollowersDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly verify: VerifySignature;
  readonly onFailure: (error: unknown, what: string) => void;
}

interface Followed {
  readonly tenant: string;
  readonly site: string;
  readonly watchers: Set<(news: SiteNews) => void>;
  follower?: SiteFollower;
  /** What is under way: reads of a site come one after another. */
  turn: Promise<unknown>;
  usedAtMs: number;
}

/** The sites that people look at, followed for as long as they do. */
export class SiteFollowers {
  /** By tenant and site; used last comes last. */
  readonly #followed = new Map<string, Followed>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(private readonly deps: SiteFollowersDeps) {}

  /** As of now. Throws ERR_DATABASE_SITE_UNKNOWN for a site that the tenant does not have. */
  async upToDate(tenant: string, site: string): Promise<SiteFollower> {
    return this.#read(this.#use(tenant, site));
  }

  /** `onNews` is called with what arrives from now on, until what this returns is called. */
  watch(tenant: string, site: string, onNews: (news: SiteNews) => void): () => void {
    const { watchers } = this.#use(tenant, site);
    watchers.add(onNews);
    this.#followLater();
    return () => void watchers.delete(onNews);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #use(tenant: string, site: string): Followed {
    const name = `${tenant} ${site}`;
    const usedAtMs = this.deps.clock.monotonicMs();
    const followed = this.#followed.get(name) ?? {
      ...{ tenant, site, watchers: new Set(), turn: Promise.resolve(), usedAtMs },
    };
    followed.usedAtMs = usedAtMs;
    this.#followed.delete(name);
    this.#followed.set(name, followed);
    for (const [other, { watchers, usedAtMs: atMs }] of this.#followed) {
      const isIdle = usedAtMs - atMs > FOLLOWER_IDLE_MAX_MS || this.#followed.size > FOLLOWERS_MAX;
      if (watchers.size === 0 && isIdle && other !== name) this.#followed.delete(other);
    }
    return followed;
  }

  #read(followed: Followed): Promise<SiteFollower> {
    const turn = followed.turn.then(() => this.#readNow(followed));
    followed.turn = turn.catch(() => undefined);
    return turn;
  }

  async #readNow(followed: Followed): Promise<SiteFollower> {
    const { database, verify } = this.deps;
    const { tenant, site, watchers } = followed;
    const follower = followed.follower ?? (await SiteFollower.open(database, verify, tenant, site));
    if (follower === undefined) {
      this.#followed.delete(`${tenant} ${site}`);
      throw siteUnknown(site);
    }
    if (follower.hasAuthority) followed.follower = follower;
    for (let isMore = true; isMore && !this.#isStopped;) {
      const news = await follower.news();
      isMore = news.isMore;
      if (news.events.length > 0 || news.isDelivery) for (const onNews of [...watchers]) onNews(news);
    }
    return follower;
  }

  #followLater(): void {
    if (this.#isStopped) return;
    this.#timer ??= this.deps.clock.setTimer(FOLLOW_INTERVAL_MS, () => void this.#follow());
  }

  async #follow(): Promise<void> {
    const watched = [...this.#followed.values()].filter(({ watchers }) => watchers.size > 0);
    for (const followed of watched) {
      try {
        await this.#read(followed);
      } catch (error) {
        this.deps.onFailure(error, 'what a site recorded cannot be read');
      }
    }
    this.#timer = undefined;
    if (watched.length > 0) this.#followLater();
  }
}
