import { stringify } from 'yaml';
import { SparcError } from '@sparc/protocol/errors';
import { SitePlan } from '@sparc/protocol/policy';
import { BusSpeeds } from '../commissioning/index.js';
import { loadGatewayConfig, readTextFile, type BusConfig } from '../config/index.js';
import { createNodeClock, loadIdentity, nodeRandom, verifySignature } from '../platform/index.js';
import {
  applySiteFile,
  loadPinKey,
  policyChanges,
  readPointer,
  SITE_FILE_LENGTH_MAX,
  type Manifest,
} from '../policy/index.js';
import { publishedRevision } from '../policy-lane/index.js';
import { acting, byOption } from './acting.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { planInForce } from './plan-in-force.js';

const SECTIONS = Object.keys(SitePlan.properties) as (keyof SitePlan)[];

interface ApplyFlags {
  readonly config: string;
  readonly by?: string;
}

export function addPolicyCommands(cli: Cli): void {
  const policy = cli.program.command('policy').description('what decides who may enter');
  policy
    .command('apply <file>')
    .description('validate a site file (YAML or JSON) and bring it into force, whole or not at all')
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('sparc policy apply site.yaml', 'sparc policy apply site.yaml --config /etc/sparc/gateway.yaml'),
    )
    .action((file: string, flags: ApplyFlags) => apply(cli, file, flags));
  policy
    .command('show [section]')
    .description('show the policy that is in force')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', `\nSections: ${SECTIONS.join(', ')}. Without one, a summary.`)
    .addHelpText('after', examples('sparc policy show', 'sparc policy show doors', 'sparc policy show --json'))
    .action((section: string | undefined, { config }: { config: string }) => show(cli, section, config));
}

async function apply({ output }: Cli, file: string, { config, by }: ApplyFlags): Promise<void> {
  const { dataDir, buses } = loadGatewayConfig(config);
  assertOwnPolicy(dataDir);
  const before = readPointer(dataDir);
  const manifest = await acting(dataDir, by, {
    name: 'policy.applied',
    work: () => applyFile(file, dataDir, buses),
    facts: ({ revision }) => ({ revision, changes: policyChanges(dataDir, before) }),
  });
  const running = 'A gateway that runs on this data directory takes it within seconds.';
  output.result(manifest, `Revision ${manifest.revision} of site ${manifest.siteId} is in force. ${running}`);
}

/** Throws ERR_POLICY_OF_SITE where the next revision of the site would replace what is applied here. */
function assertOwnPolicy(dataDir: string): void {
  const number = publishedRevision(dataDir);
  if (number === undefined) return;
  const message = `the authority of the site has signed a policy (${number}), which counts on all of its gateways`;
  throw new SparcError('ERR_POLICY_OF_SITE', message, { number });
}

function applyFile(file: string, dataDir: string, buses: readonly BusConfig[]): Manifest {
  const speeds = new BusSpeeds(dataDir);
  const text = readTextFile(file, SITE_FILE_LENGTH_MAX);
  const signer = loadIdentity(dataDir);
  return applySiteFile({
    dataDir,
    text,
    fileName: file,
    buses: buses.map((bus) => ({ id: bus.id, baudRate: speeds.speedOf(bus) })),
    signer,
    verify: (message, signature) => verifySignature(signer.publicKey, message, signature),
    random: nodeRandom,
    clock: createNodeClock(),
    pinKey: loadPinKey(dataDir, nodeRandom),
  });
}

function show({ output }: Cli, section: string | undefined, configPath: string): void {
  if (section !== undefined && !isSection(section)) {
    throw new SparcError('ERR_CLI_USAGE', `there is no section '${section}': ${SECTIONS.join(', ')}`, { section });
  }
  const { manifest, plan } = planInForce(configPath);
  if (section !== undefined) output.result(plan[section], stringify(plan[section]).trimEnd());
  else output.result({ manifest, ...plan }, summary(manifest, plan));
}

function isSection(text: string): text is keyof SitePlan {
  return SECTIONS.some((section) => section === text);
}

function summary({ revision, appliedUnixMs, timeQuality, issued }: Manifest, plan: SitePlan): string {
  const counts = SECTIONS.flatMap((section) => {
    const list = plan[section];
    return Array.isArray(list) ? [`  ${section.padEnd(18)}${list.length}`] : [];
  });
  return [
    `${plan.site.name} (${plan.site.id}, ${plan.site.timeZone})`,
    `  ${'revision'.padEnd(18)}${revision}`,
    `  ${'applied'.padEnd(18)}${new Date(appliedUnixMs).toISOString()} (clock ${timeQuality})`,
    ...(issued === undefined
      ? []
      : [`  ${'site policy'.padEnd(18)}${issued.number}, signed ${new Date(issued.issuedUnixMs).toISOString()}`]),
    ...counts,
  ].join('\n');
}
