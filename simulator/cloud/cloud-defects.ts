import { decodeBatch } from '@sparc/protocol/ledger';
import { Hello } from '@sparc/protocol/cloud-link';
import type { BrokerClient } from '../mesh/index.js';

/** Seeded defects of a cloud, one for each checker of what it holds and says. */
export const CLOUD_DEFECTS = [
  'lyingDatabase',
  'storesTwice',
  'leavesGaps',
  'altersEntries',
  'blindToForks',
  'neglectsAuthor',
  'neverAcknowledges',
] as const;
export type CloudDefect = (typeof CLOUD_DEFECTS)[number];

/** All but what the database makes itself. */
const EVENT_COLUMNS = `tenant_id, site_id, author, epoch, epoch_random, sequence, at, time_quality,
  hlc_unix_ms, hlc_counter, kind, hash, content, record, signature`;

/** What is done to its tables, before anything is in them. */
export function defectiveTables(defect: CloudDefect | undefined): string | undefined {
  switch (defect) {
    case 'storesTwice':
      return trigger(
        'after',
        'events',
        `
        if new.sequence = 3 and pg_trigger_depth() = 1 then
          new.at := new.at + interval '1 second';
          insert into sparc.events (${EVENT_COLUMNS})
            select ${EVENT_COLUMNS} from (select new.*) as twin;
        end if;
        return null;`,
      );
    case 'leavesGaps':
      return trigger('before', 'events', 'if new.sequence = 2 then return null; end if; return new;');
    case 'altersEntries':
      return trigger(
        'before',
        'events',
        `
        new.content := set_byte(new.content, 9, get_byte(new.content, 9) # 1);
        return new;`,
      );
    case 'blindToForks':
      return trigger('before', 'forks', 'return null;');
    case 'lyingDatabase':
    case 'neglectsAuthor':
    case 'neverAcknowledges':
    case undefined:
      return undefined;
  }
}

const trigger = (when: 'before' | 'after', table: string, body: string): string => `
  create function sparc.defect() returns trigger language plpgsql as $$ begin ${body} end $$;
  create trigger defect ${when} insert on sparc.${table} for each row execute function sparc.defect();`;

/** What is between a process and the broker. `neglected`: the author, in hex, that it does not care for. */
export function defectiveClient(
  defect: CloudDefect | undefined,
  neglected: string,
  client: BrokerClient,
): BrokerClient {
  const isOther = ({ author }: { readonly author: Uint8Array }) => Buffer.from(author).toString('hex') !== neglected;
  switch (defect) {
    case 'neglectsAuthor':
      return {
        ...client,
        hear: (what, onSaid, sharing) =>
          client.hear(
            what,
            (carrier, body) => {
              if (what === 'hello') {
                const { tips, isFirst } = Hello.decode(body);
                onSaid(carrier, Hello.encode({ tips: tips.filter(isOther), isFirst }));
              } else if (what !== 'batch' || isOther(decodeBatch(body))) onSaid(carrier, body);
            },
            sharing,
          ),
      };
    case 'neverAcknowledges':
      return {
        ...client,
        say: (carrier, what, body) => (what === 'ack' ? Promise.resolve() : client.say(carrier, what, body)),
      };
    default:
      return client;
  }
}
