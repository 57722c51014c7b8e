import {
  directiveId,
  signDirective,
  type Directive,
  type DirectiveContent,
  type DirectiveKind,
  type DirectiveOf,
  type SignedDirective,
} from '@sparc/protocol/directive';
import { VOLATILE_DIRECTIVES, type DirectiveReceipt, type DirectiveStore } from '@sparc/edge/directives';
import { toHex, verifySignature } from '@sparc/edge/platform';
import type { HeardEntry } from '@sparc/edge/heard';
import type { AppendedEntry, Signer } from '@sparc/protocol/ports';
import type { Delegation } from '@sparc/protocol/roster';
import { asHeard } from '../../support/as-heard.js';
import { testSigner } from '../../support/test-signer.js';
import { EIGHT_UNIX_MS, FieldSite, type SiteOptions } from './field-site.js';

export const AUTHORITY = testSigner(1);
export const ADA = testSigner(7);
const SECOND_MS = 1_000;

/** What a directive says beside what every one says. */
type Said = {
  [K in DirectiveKind]: Omit<DirectiveOf<K>, 'v' | 'id' | 'site' | 'issuedUnixMs' | 'expiresUnixMs'>;
}[DirectiveKind];

let lastMs = 0;
/** A directive of Ada like no other, issued when the fields of these tests have started. */
export function directive(said: Said, more: Partial<Directive> = {}): Directive {
  lastMs += 1;
  const content = {
    v: 1,
    site: 'site',
    issuedUnixMs: EIGHT_UNIX_MS,
    expiresUnixMs: EIGHT_UNIX_MS + 60 * SECOND_MS + lastMs,
    ...said,
    ...more,
  } as DirectiveContent;
  const operator = toHex(ADA.publicKey);
  return { ...content, id: directiveId({ operator, text: JSON.stringify(content) }) };
}

/** Its text is without the id, which follows from it. */
export const signed = (operator: Signer, { id: _id, ...content }: Directive): SignedDirective =>
  signDirective(operator, content);

export const delegation = (more: Partial<Delegation> = {}): Delegation => ({
  operator: toHex(ADA.publicKey),
  name: 'Ada',
  rights: ['mode', 'revoke', 'grant', 'order', 'expel'],
  scope: [],
  issuedUnixMs: EIGHT_UNIX_MS - SECOND_MS,
  notAfterUnixMs: EIGHT_UNIX_MS + 3_600 * SECOND_MS,
  ...more,
});

/** A directive memory that a restart finds again. */
export function keptDirectives(): DirectiveStore {
  let saved: ReturnType<DirectiveStore['load']>;
  return { load: () => saved, save: async (state) => void (saved = structuredClone(state)) };
}

/** A gateway of the site, with a feed of what others recorded in the place of the mesh. */
export class DirectedSite {
  #toldCount = 0;

  private constructor(
    readonly key: string,
    readonly site: FieldSite,
    /** Whom its site process was told to expel. */
    readonly expelled: readonly string[],
  ) {}

  static async open(
    name: string,
    options: SiteOptions = {},
    store = VOLATILE_DIRECTIVES,
    given: readonly HeardEntry[] = [],
  ): Promise<DirectedSite> {
    const expelled: string[] = [];
    const authority = toHex(AUTHORITY.publicKey);
    const expel = ({ directive: { gateway } }: { readonly directive: DirectiveOf<'expel'> }) => {
      expelled.push(gateway);
      return 'applied' as const;
    };
    const directives = { site: 'site', authority, verify: verifySignature, store, expel, given: async () => given };
    const site = await FieldSite.open({ isInMesh: true, directives, ...options });
    const gateway = new DirectedSite(name.repeat(64).slice(0, 64), site, expelled);
    site.news();
    return gateway;
  }

  believe(...delegations: Delegation[]): void {
    this.site.field.heard({ delegations, entries: [], behind: [] });
  }

  /** Takes a roster of these others. */
  async belong(...keys: string[]): Promise<void> {
    const members = keys.map((key) => ({ key, name: key, addresses: [] }));
    const roster = { self: this.key, authority: toHex(AUTHORITY.publicKey), members, expelled: [] };
    this.site.field.heard({ delegations: [], roster, entries: [], behind: [] });
    await this.site.clock.advance(SECOND_MS);
  }

  direct(said: Directive, operator = ADA): Promise<DirectiveReceipt> {
    return this.settled(this.site.field.direct(signed(operator, said)));
  }

  /** Lets the disk do its work. */
  async settled<T>(work: Promise<T>): Promise<T> {
    work.catch(() => undefined);
    await this.site.clock.advance(SECOND_MS);
    return work;
  }

  /** All entries so far, as another gateway hears them. */
  get told(): HeardEntry[] {
    return this.site.journal.entries.map((entry) => this.#asHeard(entry));
  }

  /** Those since the last time. */
  news(): HeardEntry[] {
    const news = this.told.slice(this.#toldCount);
    this.#toldCount += news.length;
    return news;
  }

  async hear(entries: readonly HeardEntry[]): Promise<void> {
    this.site.field.heard({ delegations: [], entries, behind: [] });
    await this.site.clock.advance(SECOND_MS);
  }

  /** What the journal says of a directive, but that it was given. */
  answers(id: string): string[] {
    return this.site.journal.entries
      .filter(({ record }) => record.detail?.['directive'] === id && record.name !== 'directive.given')
      .map(({ record: { name, code } }) => (code === undefined ? name : `${name} ${code}`));
  }

  #asHeard({ id, ...entry }: AppendedEntry): HeardEntry {
    return asHeard({ ...entry, id: { ...id, author: this.key } });
  }
}
