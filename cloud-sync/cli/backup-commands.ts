import { backup, restore, verifyBackup, type Manifest } from '../db/index.js';
import type { Cli } from './program.js';

export function addBackupCommands(cli: Cli): void {
  add(
    'backup',
    'dump the database into a new folder; AUTHORITY_KEYS_DIR, without which it does not open, is to be kept too',
    async (folder) => backup(cli.location(), folder, cli.now()),
  );
  add(
    'restore',
    'make a new database of a backup, and compare what is in it',
    async (folder) => restore(cli.location(), folder),
    ALL_ARE_BARRED,
  );
  add('verify', 'compare the database with what a backup counted', async (folder) =>
    verifyBackup(cli.location(), folder),
  );

  function add(name: string, description: string, work: (folder: string) => Promise<Manifest>, next = ''): void {
    cli.program
      .command(`${name} <folder>`)
      .description(description)
      .action(async (folder: string) => {
        const manifest = await work(folder);
        cli.result(manifest, `${manifestText(manifest)}${next}`);
      });
  }
}

const ALL_ARE_BARRED = `
Nobody can log in: who was barred after the backup is not known here. To let in an administrator, with a new password:
  sparc-cloud user admit NAME`;

function manifestText({ madeAt, tables }: Manifest): string {
  const rowsCount = tables.reduce((sum, table) => sum + table.rowsCount, 0);
  return `${rowsCount} rows of ${tables.length} tables, as of ${madeAt}`;
}
