import { join } from 'node:path';
import t from 'tap';
import { parseGatewayConfig } from '@sparc/edge/config';
import { validateSiteFile } from '@sparc/edge/policy';
import { readRepositoryFile, REPOSITORY } from '../../support/repository.js';

t.test('the example files that an installer starts from are valid', async (t) => {
  const site = validateSiteFile(readRepositoryFile('deploy/examples/site-one-door.yaml'), 'site-one-door.yaml');
  t.equal(site.doors.length, 1);
  const path = 'deploy/examples/gateway.yaml';
  const config = parseGatewayConfig(readRepositoryFile(path), join(REPOSITORY, path));
  t.same(
    config.buses.map(({ id }) => id),
    site.devices.map(({ bus }) => bus),
    'the site hangs on the buses of the gateway',
  );
});

t.test('the gateway configuration that the README shows is the example', async (t) => {
  const readme = readRepositoryFile('README.md').replaceAll('\n   ', '\n');
  const example = readRepositoryFile('deploy/examples/gateway.yaml').split('\n').slice(1).join('\n');
  t.ok(readme.includes(example.trim()));
});
