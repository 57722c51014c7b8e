import { stringify } from 'yaml';
import { SparcError } from '@sparc/protocol/errors';
import { BusSpeeds } from '../commissioning/index.js';
import { loadGatewayConfig, readTextFile } from '../config/index.js';
import { createNodeClock, loadIdentity, nodeRandom, verifySignature } from '../platform/index.js';
import { applySiteFile, loadPinKey, SITE_FILE_LENGTH_MAX, SitePlan, type Manifest } from '../policy/index.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { planInForce } from './plan-in-force.js';

const SECTIONS = Object.keys(SitePlan.properties) as (keyof SitePlan)[];

export function addPolicyCommands(cli: Cli): void {
  const policy = cli.program.command('policy').description('what decides who may enter');
  policy
    .command('apply <file>')
    .description('validate a site file (YAML or JSON) and bring it into force, whole or not at all')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('sparc policy apply site.yaml', 'sparc policy apply site.yaml --config /etc/sparc/gateway.yaml'),
    )
    .action((file: string, { config }: { config: string }) => apply(cli, file, config));
  policy
    .command('show [section]')
    .description('show the policy that is in force')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', `\nSections: ${SECTIONS.join(', ')}. Without one, a summary.`)
    .addHelpText('after', examples('sparc policy show', 'sparc policy show doors', 'sparc policy show --json'))
    .action((section: string | undefined, { config }: { config: string }) => show(cli, section, config));
}

function apply({ output }: Cli, file: string, configPath: string): void {
  const { dataDir, buses } = loadGatewayConfig(configPath);
  const speeds = new BusSpeeds(dataDir);
  const text = readTextFile(file, SITE_FILE_LENGTH_MAX);
  const signer = loadIdentity(dataDir);
  const manifest = applySiteFile({
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
  const running = 'A gateway that runs on this data directory takes it within seconds.';
  output.result(manifest, `Revision ${manifest.revision} of site ${manifest.siteId} is in force. ${running}`);
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

function summary({ revision, appliedUnixMs, timeQuality }: Manifest, plan: SitePlan): string {
  const counts = SECTIONS.flatMap((section) => {
    const list = plan[section];
    return Array.isArray(list) ? [`  ${section.padEnd(18)}${list.length}`] : [];
  });
  return [
    `${plan.site.name} (${plan.site.id}, ${plan.site.timeZone})`,
    `  ${'revision'.padEnd(18)}${revision}`,
    `  ${'applied'.padEnd(18)}${new Date(appliedUnixMs).toISOString()} (clock ${timeQuality})`,
    ...counts,
  ].join('\n');
}
