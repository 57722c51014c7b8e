import { join } from 'node:path';
import type { Command } from 'commander';
import { writeCourier, type CourierItem } from '@sparc/protocol/courier';
import { ERRORS, SparcError, type ErrorCode } from '@sparc/protocol/errors';
import type { SignedHead, StoredRecord } from '@sparc/protocol/ledger';
import type { Clock } from '@sparc/protocol/ports';
import { loadGatewayConfig } from '../config/index.js';
import {
  carriedBatches,
  carriedParts,
  checkCourier,
  CourierCount,
  InboxFolder,
  withLogsOf,
  type CheckedCourier,
} from '../courier/index.js';
import { JOURNAL_FILE, nodeCrypto, readEntries } from '../ledger/index.js';
import { readMembership, secretsOf, type MembershipRecord } from '../membership/index.js';
import { createNodeClock, loadIdentity, nodeRandom, toHex, verifySignature } from '../platform/index.js';
import { PARTS_FILE, SqlitePartStore } from '../policy-parts/index.js';
import type { ReadableLogs } from '../replica/index.js';
import { acting, byOption } from './acting.js';
import { configOption, examples, jsonOption, type Cli } from './cli.js';
import { readHeads, longFile, writePieces } from './courier-file.js';
import { EXIT } from './exit-codes.js';

/** A gateway that runs takes a courier of a few days within this. */
const TAKEN_WITHIN_MS = 5_000;
const LOOK_INTERVAL_MS = 100;
/** Newest records of the journal, among which what became of it is looked for. */
const RECORDS_LOOKED_AT = 500;

interface Flags {
  readonly config: string;
  readonly by?: string;
}

export function addImportCommand(cli: Cli, ledger: Command): void {
  ledger
    .command('import <file>')
    .description('give the gateway a courier: ledgers and policy, from where no network goes')
    .addOption(configOption())
    .addOption(byOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIt is checked whole first. A gateway that runs takes it at once, another one at its start.',
    )
    .addHelpText('after', examples('sparc ledger import /media/usb/cellar.courier'))
    .action((file: string, flags: Flags) => importFrom(cli, file, flags));
}

/** `sparc ledger export --format courier`, whether the gateway runs or not. */
export async function exportCourier(
  { output }: Cli,
  file: string,
  { config, by, for: headsFile }: Flags & { readonly for?: string },
): Promise<void> {
  const { dataDir } = loadGatewayConfig(config);
  const membership = membershipOf(dataDir);
  const heads = headsFile === undefined ? [] : readHeads(headsFile);
  const signer = loadIdentity(dataDir);
  const opening = {
    site: membership.roster.site,
    maker: toHex(signer.publicKey),
    madeUnixMs: Math.floor(createNodeClock().wall().unixMs),
    roster: membership.signed,
  };
  const count = new CourierCount();
  const work = () =>
    withLogsOf(dataDir, signer.publicKey, (logs) => {
      const items = count.over(carried(dataDir, logs, membership, heads));
      const deps = { signer, random: nodeRandom, crypto: nodeCrypto };
      writePieces(file, writeCourier(deps, secretsOf(membership.secrets), opening, items));
    });
  const facts = () => ({ format: 'courier', upTo: `${count.entriesCount} entries of ${count.ledgersCount} ledgers` });
  await acting(dataDir, by, { name: 'ledger.exported', work, facts });
  output.result({ file, ...valueOf({ opening, count }) }, `${file} carries ${textOf(count)}.`);
}

/** The logs first: which parts belong to the policy, the log of the authority says. */
function* carried(
  dataDir: string,
  logs: ReadableLogs,
  membership: MembershipRecord,
  heads: readonly SignedHead[],
): Generator<CourierItem, void> {
  const authority = toHex(membership.authority);
  for (const batch of carriedBatches(logs, authority, heads)) yield { batch };
  const parts = SqlitePartStore.openReadOnly(join(dataDir, PARTS_FILE));
  if (parts === undefined) return;
  try {
    for (const part of carriedParts(logs, authority, parts)) yield { part };
  } finally {
    parts.close();
  }
}

async function importFrom(cli: Cli, file: string, { config, by }: Flags): Promise<void> {
  const { dataDir, mesh } = loadGatewayConfig(config);
  const membership = membershipOf(dataDir);
  if (mesh === undefined) throw new SparcError('ERR_MESH_NOT_A_MEMBER', `${config} has no mesh`, { config });
  const clock = createNodeClock();
  const inbox = new InboxFolder(dataDir);
  const { courier, checked } = await acting(dataDir, by, {
    name: 'ledger.brought',
    work: () => inbox.bring({ clock, random: nodeRandom }, longFile(file), (copy) => checkCourier(membership, copy)),
    facts: ({ courier, checked }) => ({ courier, maker: checked.opening.maker }),
  });
  const record = await recordOf(clock, inbox, dataDir, courier);
  if (record?.code !== undefined) cli.exitCode = EXIT.checkFailed;
  const { opening, count } = checked;
  const made = new Date(opening.madeUnixMs).toISOString();
  cli.output.result(
    { file, courier, ...valueOf(checked), record: record ?? null },
    [
      `${file} carries ${textOf(count)}, made by ${makerText(membership, opening.maker)} at ${made}.`,
      becameText(record),
    ].join('\n'),
  );
}

function membershipOf(dataDir: string): MembershipRecord {
  const membership = readMembership(dataDir, verifySignature);
  if (membership !== undefined) return membership;
  throw new SparcError('ERR_MESH_NOT_A_MEMBER', `${dataDir} holds no membership`, { dataDir });
}

/** What the gateway recorded of a courier; undefined while it waits. */
async function recordOf(
  clock: Clock,
  inbox: InboxFolder,
  dataDir: string,
  courier: string,
): Promise<StoredRecord | undefined> {
  const endMs = clock.monotonicMs() + TAKEN_WITHIN_MS;
  while (clock.monotonicMs() < endMs) {
    if (!inbox.list().includes(courier)) {
      const entries = readEntries(join(dataDir, JOURNAL_FILE), { limit: RECORDS_LOOKED_AT });
      const found = entries.find(({ record }) => isOf(record, courier));
      if (found !== undefined) return found.record;
    }
    await new Promise<void>((resolve) => clock.setTimer(LOOK_INTERVAL_MS, resolve));
  }
  return undefined;
}

const isOf = (record: StoredRecord | undefined, courier: string): boolean =>
  /^ledger\.import/.test(record?.name ?? '') && record?.detail?.['courier'] === courier;

function becameText(record: StoredRecord | undefined): string {
  if (record === undefined)
    return 'It waits in the inbox: a gateway that runs is at it, another one takes it at its start.';
  const { code, detail } = record;
  if (isErrorCode(code)) return `The gateway REFUSED it: ${code}: ${ERRORS[code].meaning}`;
  const { entries, parts, detached } = detail ?? {};
  const gap = `${detached} of its batches follow on entries that are not here: export again, with --for and the heads of this gateway.`;
  return [
    `The gateway took ${entries} new entries and ${parts} new policy parts.`,
    ...(detached === '0' ? [] : [gap]),
  ].join('\n');
}

const isErrorCode = (code: string | undefined): code is ErrorCode => code !== undefined && Object.hasOwn(ERRORS, code);

function makerText({ authority, roster }: MembershipRecord, maker: string): string {
  if (maker === toHex(authority)) return 'the authority of the site';
  return roster.members.find(({ key }) => key === maker)?.name ?? maker;
}

const textOf = ({ entriesCount, ledgersCount, partsCount }: CourierCount): string =>
  `${entriesCount} entries of ${ledgersCount} ledgers and ${partsCount} policy parts`;

const valueOf = ({ opening: { site, maker, madeUnixMs }, count }: CheckedCourier) => ({
  site,
  maker,
  madeUnixMs,
  ledgersCount: count.ledgersCount,
  entriesCount: count.entriesCount,
  partsCount: count.partsCount,
});
