import t from 'tap';
import { buildSite, SqlitePolicyView, validateSiteFile } from '@sparc/edge/policy';
import { edited, SITE_FILE } from '../../support/site-file.js';

function validityOf(from: string, to: string) {
  const dates = edited(
    SITE_FILE,
    'validFrom: 2026-01-01\n    validTo: 2026-06-07',
    `validFrom: ${from}\n    validTo: ${to}`,
  );
  const pinKey = new Uint8Array(32);
  const site = validateSiteFile(dates.text, 'site.yaml');
  const view = new SqlitePolicyView(buildSite(site, { path: ':memory:', revision: 'r', pinKey }), pinKey);
  const found = view.credentialByIdentifier('h10301:123:4567');
  view.close();
  const iso = (unixMs = NaN) => new Date(unixMs).toISOString();
  return [iso(found?.validFromUnixMs), iso(found?.validToUnixMs)];
}

t.test('a bare end includes its whole day, in the zone of the site', async (t) => {
  t.strictSame(validityOf('2026-06-06', '2026-06-07'), ['2026-06-05T22:00:00.000Z', '2026-06-07T22:00:00.000Z']);
  t.strictSame(validityOf('2026-01-01', '2026-12-31'), ['2025-12-31T23:00:00.000Z', '2026-12-31T23:00:00.000Z']);
});

t.test('an end with a time is that moment, exclusive', async (t) => {
  t.strictSame(validityOf('2026-06-06T08:00', '2026-06-06T17:30:15'), [
    '2026-06-06T06:00:00.000Z',
    '2026-06-06T15:30:15.000Z',
  ]);
});

t.test(
  'a time that spring skips is the first instant after it; one that autumn repeats covers both passes',
  async (t) => {
    t.strictSame(validityOf('2026-03-29T02:30', '2026-10-25T02:30'), [
      '2026-03-29T01:00:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ]);
    t.strictSame(validityOf('2026-10-25T02:30', '2027-03-28T02:30'), [
      '2026-10-25T00:30:00.000Z',
      '2027-03-28T01:00:00.000Z',
    ]);
  },
);
