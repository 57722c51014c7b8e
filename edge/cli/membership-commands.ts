import type { Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { isAddress, signRequest } from '@sparc/protocol/roster';
import { loadGatewayConfig, type GatewayConfig } from '../config/index.js';
import { joinSite } from '../membership/index.js';
import { createNodeClock, loadIdentity, toHex, verifySignature } from '../platform/index.js';
import { acting, byOption } from './acting.js';
import { readBinaryFile, writeBinaryFile } from './binary-file.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { siteInForce } from './plan-in-force.js';
import { rosterLines, rosterValue } from './roster-text.js';

const ADMISSION_BYTES_MAX = 131_072;

interface RequestFlags {
  readonly config: string;
  readonly out: string;
  readonly address: readonly string[];
}
interface JoinFlags {
  readonly config: string;
  readonly by?: string;
}

/** How a gateway becomes a member of a site without a network: a file there, a file back. */
export function addMembershipCommands(cli: Cli, gateway: Command): void {
  gateway
    .command('request')
    .description('write a request to be enrolled, for the authority of a site')
    .requiredOption('--out <file>', 'the request')
    .option('--address <host:port>', 'where other gateways reach this one (default: mesh.listen)', addTo, [])
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nIt holds no secret. Several --address are tried one after the other.')
    .addHelpText('after', examples('sparc gateway request --out hallway.request --address 10.0.0.5:7400'))
    .action((flags: RequestFlags) => request(cli, flags));
  gateway
    .command('join <admission>')
    .description('make this gateway a member of the site that enrolled it')
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc gateway join hallway.admission'))
    .action((admission: string, flags: JoinFlags) => join(cli, admission, flags));
}

function addTo(address: string, others: readonly string[]): readonly string[] {
  if (isAddress(address)) return [...others, address];
  throw new SparcError('ERR_CLI_USAGE', `'${address}' is no address such as 10.0.0.5:7400 or [fd00::5]:7400`);
}

function request({ output }: Cli, { config: path, out, address }: RequestFlags): void {
  const config = loadGatewayConfig(path);
  const identity = loadIdentity(config.dataDir);
  const { name } = config.gateway;
  const addresses = address.length > 0 ? address : ownAddresses(config);
  writeBinaryFile(out, signRequest(identity, { name, addresses }));
  const key = toHex(identity.publicKey);
  const where = addresses.length === 0 ? 'found by multicast DNS' : `at ${addresses.join(', ')}`;
  output.result({ file: out, key, name, addresses }, `${out} asks for ${name}, ${key}, ${where}.`);
}

/** An address that stands for all of them is nowhere for others. */
function ownAddresses({ mesh }: GatewayConfig): readonly string[] {
  if (mesh === undefined || mesh.listen.port === 0) return [];
  const { host, port } = mesh.listen;
  if (/^(0\.0\.0\.0|[0:]*)$/.test(host)) return [];
  return [`${host.includes(':') ? `[${host}]` : host}:${port}`];
}

async function join({ output }: Cli, file: string, { config, by }: JoinFlags): Promise<void> {
  const { dataDir } = loadGatewayConfig(config);
  const admission = readBinaryFile(file, ADMISSION_BYTES_MAX);
  const { authority, roster } = await acting(dataDir, by, {
    name: 'site.joined',
    work: () => joinSite(dataDir, verifySignature, siteInForce(dataDir), admission, createNodeClock().wall().unixMs),
    facts: (joined) => ({
      site: joined.roster.site,
      authority: toHex(joined.authority),
      epoch: String(joined.roster.epoch),
    }),
  });
  const key = toHex(authority);
  output.result(rosterValue(key, roster), rosterLines(key, roster).join('\n'));
}
