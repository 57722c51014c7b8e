import { buildApi, buildGatewayApi, type ApiOptions, type PartHealth } from '../api/index.js';
import { AuthoritySource } from '../authority/index.js';
import type { Site } from '../db/index.js';
import { Ingest } from '../ingest/index.js';
import { AuthorityWatch, GatewayRequests, Publisher } from '../link/index.js';
import { nodeCrypto } from '../platform/index.js';
import { at, serverNames } from './addresses.js';
import { BrokerPart } from './broker-part.js';
import { HttpPart } from './http-part.js';
import { jobsOf } from './jobs.js';
import { named, type Part } from './part.js';
import { Scheduler } from './scheduler.js';
import type { SharedParts } from './shared-parts.js';

export function ingestPart({ log, metrics, ...shared }: SharedParts): Part {
  const { clock, database, told: bus, signerOf, onRefused, onFailure } = shared;
  const ingest = new Ingest({
    ...{ clock, crypto: nodeCrypto, database, bus, signerOf, onRefused, onFailure },
    onFork(fork, { tenant, site }) {
      metrics.forked();
      log.error({ tenant, site, fork: fork.kind }, 'an author signed two histories');
    },
    onEmptied: (author, { tenant, site }) =>
      log.warn(
        { tenant, site, author },
        'entries come without what they said: it was emptied when the cloud had it, and it has lost it',
      ),
  });
  return named('ingest', ingest);
}

/** A broker inside the process looks at its links, too, whenever an authority said who belongs to its site. */
export function publisherParts({ clock, database, bus, told, onRefused, onFailure }: SharedParts): readonly Part[] {
  const authority = new AuthoritySource(database);
  const publisher = new Publisher({ clock, database, bus: told, authority, onRefused, onFailure });
  const lookAtLinks = (site?: Site) => {
    if (bus instanceof BrokerPart) bus.lookAtLinks(site).catch((error: unknown) => onFailure(error, 'links stay up'));
  };
  const watch = new AuthorityWatch({
    ...{ clock, database, onFailure },
    onListening: () => lookAtLinks(),
    onGrew(site) {
      publisher.grew(site);
      lookAtLinks(site);
    },
  });
  return [named('publisher', publisher), named('authority watch', watch)];
}

export function schedulerPart(shared: SharedParts): Part {
  const { clock, database, sites: authorities, enrolment, log, onFailure } = shared;
  return new Scheduler(
    { clock, database, onFailure },
    jobsOf({ clock, database, authorities, enrolment, log, onFailure }),
  );
}

export interface ApiParts {
  readonly parts: readonly Part[];
  /** That serves the page and the API. */
  readonly page: HttpPart;
}

export function apiParts(shared: SharedParts, health: () => readonly PartHealth[], options: ApiOptions): ApiParts {
  const { config, clock, random, log, metrics, database, bus, secret, signerOf, certificates, onRefused } = shared;
  const { sites, enrolment } = shared;
  const onAnswer = (status: number) => metrics.requested(status);
  const requests = new GatewayRequests({
    ...{ clock, random, verify: nodeCrypto.verify, bus, signerOf },
    onRefused: (carrier) => onRefused('answer', carrier),
  });
  const gateways = new HttpPart('gateways', at(config.GATEWAY_HOST, config.GATEWAY_PORT), () =>
    buildGatewayApi({ clock, log, onAnswer, enrolment, certificates }, serverNames(config)),
  );
  const page = new HttpPart('api', at(config.HTTP_HOST, config.HTTP_PORT), () =>
    buildApi({ clock, random, database, sites, enrolment, requests, secret, log, health, onAnswer }, options),
  );
  return { parts: [named('requests', requests), gateways, page], page };
}
