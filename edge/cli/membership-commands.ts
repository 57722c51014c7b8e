import { Option, type Command } from 'commander';
import { SparcError } from '@sparc/protocol/errors';
import { isAddress, signRequest } from '@sparc/protocol/roster';
import { claim, LinkFiles } from '../cloud-enrolment/index.js';
import { readClaimCode } from '@sparc/protocol/enrolment';
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
interface ClaimFlags {
  readonly config: string;
  readonly address: readonly string[];
  readonly by?: string;
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
    .addOption(addressOption())
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
  gateway
    .command('claim')
    .argument('<url>', 'of the cloud, as its page shows it beside the code')
    .argument('<code>', 'that the cloud made for this gateway')
    .description('make this gateway a member of the site for which the cloud made a code, and link it to the cloud')
    .addOption(addressOption())
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nThe code is shown to the cloud that made it, and to nobody who stands in between.')
    .addHelpText('after', examples('sparc gateway claim https://cloud.example.com:7743 4K7QD-9XW2M-0TRZ5-H8B3C-V6NPJ'))
    .action((url: string, code: string, flags: ClaimFlags) => claimed(cli, url, code, flags));
}

const addressOption = (): Option =>
  new Option('--address <host:port>', 'where other gateways reach this one (default: mesh.listen)')
    .argParser(addTo)
    .default([]);

function addTo(address: string, others: readonly string[]): readonly string[] {
  if (isAddress(address)) return [...others, address];
  throw new SparcError('ERR_CLI_USAGE', `'${address}' is no address such as 10.0.0.5:7400 or [fd00::5]:7400`);
}

/** Of a gateway that is to be a member. Throws ERR_CONFIG_INVALID for one that would call nobody, before anything is spent. */
function memberConfig(path: string): GatewayConfig {
  const config = loadGatewayConfig(path);
  if (config.mesh !== undefined) return config;
  const message = `${path} has no \`mesh\`, which every gateway of a site has: mesh: { listen: 0.0.0.0:7400 }`;
  throw new SparcError('ERR_CONFIG_INVALID', message, { config: path });
}

function request({ output }: Cli, { config: path, out, address }: RequestFlags): void {
  const config = memberConfig(path);
  const { name } = config.gateway;
  const addresses = address.length > 0 ? address : ownAddresses(config);
  writeBinaryFile(out, ownRequest(config, addresses));
  const key = toHex(loadIdentity(config.dataDir).publicKey);
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

const ownRequest = ({ dataDir, gateway: { name } }: GatewayConfig, addresses: readonly string[]): Uint8Array =>
  signRequest(loadIdentity(dataDir), { name, addresses }, new LinkFiles(dataDir).request());

const join = (cli: Cli, file: string, { config, by }: JoinFlags): Promise<void> =>
  joinBy(cli, memberConfig(config), by, readBinaryFile(file, ADMISSION_BYTES_MAX));

async function claimed(cli: Cli, url: string, typed: string, { config: path, address, by }: ClaimFlags): Promise<void> {
  const config = memberConfig(path);
  const code = readClaimCode(typed);
  const request = ownRequest(config, address.length > 0 ? address : ownAddresses(config));
  await joinBy(cli, config, by, await claim(cloudAddress(url), code, request));
}

function cloudAddress(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address?.protocol === 'https:') return address;
  throw new SparcError('ERR_CLI_USAGE', `'${url}' is no address such as https://cloud.example.com:7743`);
}

async function joinBy(
  { output }: Cli,
  { dataDir }: GatewayConfig,
  by: string | undefined,
  admission: Uint8Array,
): Promise<void> {
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
