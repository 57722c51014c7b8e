import fc from 'fast-check';
import t from 'tap';
import { AddressBook, Frame, LinksTold, type Links, type MemberPlace } from '@sparc/edge/mesh';
import { ADDRESSES_MAX, MEMBERS_MAX } from '@sparc/protocol/roster';
import { checkProperty } from '../../support/property.js';

const [a, b, c, stranger] = ['aa', 'bb', 'cc', '99'].map((byte) => byte.repeat(32)) as [string, string, string, string];
const secretId = new Uint8Array(16);

const toldOf = (...members: string[]) => new LinksTold((key) => members.includes(key));
const links = (listensAt: string[], heard: Readonly<Record<string, string[]>> = {}): Links => ({
  secretId,
  listensAt,
  heard: Object.entries(heard).map(([key, addresses]) => ({ key, addresses })),
});

t.test('who hears whom is known of members that are here and have said so', async (t) => {
  const told = toldOf(a, b, c);
  told.take(a, links([], { [b]: ['10.0.0.2:7400'], [stranger]: ['10.0.0.9:7400'] }));
  told.take(b, links([], {}));
  t.same(
    [...told.heard()],
    [
      [a, [{ key: b, addresses: ['10.0.0.2:7400'] }]],
      [b, []],
    ],
  );
  told.forget(a);
  t.same([...told.heard().keys()], [b]);
});

t.test('whoever moved is to be found where it said, and where others found it', async (t) => {
  const told = toldOf(a, b, c);
  told.take(a, links([], { [c]: ['10.0.0.3:7400'] }));
  told.take(c, links(['10.0.0.30:7400']));
  told.forget(c);
  told.take(b, links([], { [c]: ['10.0.0.31:7400'] }));
  t.same(told.addressesOf(c), ['10.0.0.30:7400', '10.0.0.3:7400', '10.0.0.31:7400']);
  t.same(told.addressesOf(b), []);
});

t.test('one neighbour that tells much does not displace what others tell', async (t) => {
  const told = toldOf(a, b, c);
  told.take(a, links([], { [c]: Array.from({ length: ADDRESSES_MAX }, (_, index) => `10.0.9.${index}:1`) }));
  told.take(b, links([], { [c]: ['10.0.0.3:7400'] }));
  t.equal(told.addressesOf(c).length, ADDRESSES_MAX);
  t.equal(told.addressesOf(c)[1], '10.0.0.3:7400');
});

t.test('what is no address is not taken for one', async (t) => {
  const told = toldOf(a, b);
  told.take(a, links(['10.0.0.1:0', 'x y:1', '/ip4/1.2.3.4'], { [b]: ['<b>:7400', '[::1]:7400'] }));
  t.same(told.addressesOf(a), []);
  t.same(told.addressesOf(b), ['[::1]:7400']);
  t.same(told.heard().get(a), [{ key: b, addresses: ['[::1]:7400'] }]);
});

t.test('what a member said of itself is forgotten when it leaves the roster', async (t) => {
  const members = [a, b];
  const told = new LinksTold((key) => members.includes(key));
  told.take(a, links(['10.0.0.1:7400']));
  members.shift();
  told.membersChanged();
  t.same([told.listensAt(a), told.secretIdOf(a)], [[], undefined]);
});

t.test('links of a full site fit into a frame, and more than that is refused', async (t) => {
  const long = `${'a'.repeat(110)}:65535`;
  const heard = Array.from({ length: MEMBERS_MAX }, (_, index) => ({
    key: index.toString(16).padStart(64, '0'),
    addresses: Array.from({ length: ADDRESSES_MAX }, () => long),
  }));
  const encoded = Frame.encode({ links: { secretId, listensAt: [], heard } });
  t.ok(encoded.length < 40_000, `${encoded.length} bytes`);
  t.same(Frame.decode(encoded).links?.heard, heard);
  const more = [...heard, { key: 'f'.repeat(64), addresses: [] }];
  t.throws(() => Frame.encode({ links: { secretId, listensAt: [], heard: more } }), { code: 'ERR_LEDGER_MALFORMED' });
});

const bookOf = (place: Omit<MemberPlace, 'key'>, told = toldOf(a, b)) =>
  new AddressBook(() => [{ key: b, ...place }], told);

t.test('a member is called where it was reached last, then where the roster, others and the network say', async (t) => {
  const told = toldOf(a, b);
  told.take(a, links([], { [b]: ['10.0.0.4:4', '10.0.0.1:1'] }));
  const book = bookOf({ addresses: ['10.0.0.1:1', '10.0.0.2:2'] }, told);
  book.found(b, ['10.0.0.3:3']);
  t.same(book.addressesOf(b), ['10.0.0.1:1', '10.0.0.2:2', '10.0.0.4:4', '10.0.0.3:3']);
  book.reached(b, '10.0.0.4:4');
  t.same(book.addressesOf(b), ['10.0.0.4:4', '10.0.0.1:1', '10.0.0.2:2', '10.0.0.3:3']);
  t.same(book.addressesOf(c), [], 'no member');
});

t.test(
  'whatever is claimed on the network, a true claim is called at among the first, and the last good address before',
  async (t) => {
    const book = bookOf({ addresses: [] });
    const lies = (from: number) => Array.from({ length: ADDRESSES_MAX }, (_, at) => `10.9.${from}.${at}:1`);
    book.found(b, ['10.0.0.3:3']);
    book.found(b, lies(1));
    book.found(b, lies(2));
    book.found(b, lies(1));
    t.equal(book.addressesOf(b).indexOf('10.0.0.3:3'), 2, 'a claim that is repeated counts once');
    t.equal(book.addressesOf(b).length, ADDRESSES_MAX);
    book.reached(b, '10.0.0.3:3');
    for (let from = 3; from < 20; from += 1) book.found(b, lies(from));
    t.equal(book.addressesOf(b)[0], '10.0.0.3:3');
    t.equal(book.addressesOf(b).length, 1 + ADDRESSES_MAX);
  },
);

t.test('a member whose address is configured is called there alone, and nobody is sent there', async (t) => {
  const told = toldOf(a, b);
  told.take(a, links([], { [b]: ['10.0.0.4:4'] }));
  told.take(b, links(['10.0.0.5:5']));
  const place = { addresses: ['127.0.0.1:9000'] };
  const [pinned, free] = [bookOf({ ...place, isPinned: true }, told), bookOf(place, told)];
  for (const book of [pinned, free]) {
    book.found(b, ['10.0.0.3:3']);
    book.reached(b, '127.0.0.1:9000');
  }
  t.same(pinned.addressesOf(b), ['127.0.0.1:9000']);
  t.same(pinned.addressesToTell(b), ['10.0.0.5:5']);
  t.same(free.addressesToTell(b), ['127.0.0.1:9000', '10.0.0.5:5'], 'and what a third one told is told to nobody');
});

t.test('whatever is told, so many addresses of a member are known', async (t) => {
  const address = fc.tuple(fc.nat(255), fc.nat(99)).map(([host, port]) => `10.0.0.${host}:${port}`);
  const some = fc.array(address, { maxLength: ADDRESSES_MAX });
  const say = fc.record({ by: fc.constantFrom(a, b, c), listensAt: some, of: fc.constantFrom(a, b, c), at: some });
  checkProperty(
    fc.property(fc.array(say, { maxLength: 20 }), (said) => {
      const told = toldOf(a, b, c);
      for (const { by, listensAt, of, at } of said) told.take(by, links(listensAt, { [of]: at }));
      return [a, b, c].every((key) => {
        const known = told.addressesOf(key);
        return known.length <= ADDRESSES_MAX && new Set(known).size === known.length;
      });
    }),
  );
  t.pass();
});
