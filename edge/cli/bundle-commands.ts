import { readFileSync, statSync } from 'node:fs';
import { SparcError } from '@sparc/protocol/errors';
import { loadDocument, loadGatewayConfig, readTextFile } from '../config/index.js';
import { createFileDurably, createSigningKey, findSigningKey, toHex } from '../platform/index.js';
import {
  BUNDLE_PAYLOAD_MAX_BYTES,
  BundleDescription,
  importBundle,
  listBundles,
  makeBundle,
  type Bundle,
} from '../reader-bundles/index.js';
import { acting, byOption } from './acting.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';

const DESCRIPTION_LENGTH_MAX = 65_536;

interface CreateFlags {
  readonly payload: string;
  readonly key: string;
  readonly out: string;
}

interface ImportFlags {
  readonly config: string;
  readonly by?: string;
}

export function addBundleCommands(cli: Cli): void {
  const bundle = cli.program.command('bundle').description('firmware and configuration for readers');
  bundle
    .command('key <file>')
    .description('make a key that signs bundles, and print its public half for `readerBundles.signers`')
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc bundle key bundle-signer.pem'))
    .action((file: string) => key(cli, file));
  bundle
    .command('create <description>')
    .description('sign what a maker supplied, together with the readers that it is for')
    .requiredOption('--payload <file>', 'what is transferred to the reader, as its maker supplied it')
    .requiredOption('--key <file>', 'signing key, made with `sparc bundle key`')
    .requiredOption('--out <file>', 'the bundle')
    .addOption(jsonOption())
    .addHelpText('after', DESCRIPTION_HELP)
    .addHelpText(
      'after',
      examples('sparc bundle create r40.yaml --payload r40-1.2.0.bin --key bundle-signer.pem --out r40-1.2.0.bundle'),
    )
    .action((description: string, flags: CreateFlags) => create(cli, description, flags));
  bundle
    .command('import <file>')
    .description('verify a bundle and give it to the gateway')
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('sparc bundle import r40-1.2.0.bundle'))
    .action((file: string, flags: ImportFlags) => bring(cli, file, flags));
  bundle
    .command('list')
    .description('show the bundles that the gateway has')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config }: { config: string }) => list(cli, config));
}

const DESCRIPTION_HELP = `
A description (YAML or JSON), with vendor, model and firmware as \`sparc commission discover\` shows them:
  name: R40 readers
  version: "1.2.0"
  content: firmware          # or configuration
  target: { vendor: "0a0b0c", models: [1], firmwareMin: "1.0.0" }
  firmwareAfter: "1.2.0"     # what the reader then says it runs
  fileType: 1`;

function key({ output }: Cli, file: string): void {
  const publicKey = toHex(writing(file, () => createSigningKey(file)).publicKey);
  output.result(
    { file, publicKey },
    `${file} signs bundles. Gateways trust it once their configuration has
  readerBundles: { signers: ["${publicKey}"] }`,
  );
}

function create(
  { output }: Cli,
  descriptionPath: string,
  { payload: payloadPath, key: keyPath, out }: CreateFlags,
): void {
  const text = readTextFile(descriptionPath, DESCRIPTION_LENGTH_MAX);
  const description = loadDocument(BundleDescription, text, descriptionPath, { code: 'ERR_BUNDLE_INVALID' }).value;
  const signer = findSigningKey(keyPath);
  if (signer === undefined) throw unreadable(keyPath, 'there is no such file');
  const bytes = makeBundle(description, readPayloadFile(payloadPath), signer);
  writing(out, () => createFileDurably(out, bytes));
  output.result({ file: out, sizeBytes: bytes.length }, `${out} holds ${description.name} ${description.version}.`);
}

function readPayloadFile(path: string): Uint8Array {
  const refuse = (why: string) => unreadable(path, why);
  let bytes: Uint8Array;
  try {
    if (statSync(path).size > BUNDLE_PAYLOAD_MAX_BYTES) throw refuse(`more than ${BUNDLE_PAYLOAD_MAX_BYTES} bytes`);
    bytes = readFileSync(path);
  } catch (error) {
    throw error instanceof SparcError ? error : refuse((error as Error).message);
  }
  if (bytes.length === 0) throw refuse('it is empty');
  return bytes;
}

async function bring({ output }: Cli, file: string, { config, by }: ImportFlags): Promise<void> {
  const { dataDir, bundleSigners } = loadGatewayConfig(config);
  const bundle = await acting(dataDir, by, {
    name: 'bundle.imported',
    work: () => importBundle(dataDir, file, bundleSigners),
    facts: ({ id }) => ({ bundle: id }),
  });
  output.result(
    facts(bundle),
    `${line(bundle)}\nIt goes to readers with \`sparc commission transfer ${bundle.id} DEVICE…\`.`,
  );
}

async function list({ output }: Cli, configPath: string): Promise<void> {
  const { dataDir, bundleSigners } = loadGatewayConfig(configPath);
  const bundles = await listBundles(dataDir, bundleSigners);
  output.result({ bundles: bundles.map(facts) }, bundles.map(line).join('\n') || 'There is none.');
}

const facts = ({ id, manifest }: Bundle) => ({ id, ...manifest });

const line = ({ id, manifest: { name, version, content, target, payload } }: Bundle): string =>
  `${id}  ${name} ${version}, ${content} for ${target.vendor} model ${target.models.join(', ')}, ${payload.sizeBytes} bytes`;

const unreadable = (path: string, why: string): SparcError =>
  new SparcError('ERR_BUNDLE_UNREADABLE', `${path}: ${why}`, { path });

function writing<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw new SparcError('ERR_CLI_WRITE_FAILED', `${file}: ${(cause as Error).message}`, { file }, { cause });
  }
}
