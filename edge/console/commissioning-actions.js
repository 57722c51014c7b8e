import { ask, checkField, numberField, selectField } from '../../protocol/page/dialogs.js';
import { count } from '../../protocol/page/phrases.js';
import { missingDevices } from './commissioning-found.js';
import { ADDRESS_MAX, BAUD_RATES, baud, deviceName } from './commissioning-words.js';

const CAPTURE_SECONDS = [
  [10, '10 seconds'],
  [60, '1 minute'],
  [600, '10 minutes'],
  [3_600, '1 hour'],
];
/** What most readers leave their factory with. */
const LIKELY_RATES = [9_600, 115_200];

/** What the buttons of the page do: ask what is to be known, say what it costs, start it. `model()` is what is shown. */
export function createActions(model, start) {
  const name = (id) => deviceName(model(), id);
  const planned = (bus) => model().view.devices.filter((device) => device.bus === bus);

  return {
    start,

    identify: (device) => start({ kind: 'identify', device }),
    identifyFound: (bus, { address, baudRate }) => start({ kind: 'identifyFound', bus, address, baudRate }),

    async setKey(device, key) {
      const keyed = {
        title: `Set a new key for ${name(device)}?`,
        text: 'The gateway makes a random key and sends it over the session that is up. The old key is held until the reader has proven the new one.',
        go: 'Set the key',
      };
      const first = {
        title: `Set the first key of ${name(device)}?`,
        text: [
          'The gateway makes a random key. It is the one time that a key travels under the key which every reader leaves the factory with.',
          'Whoever listens on the line now can read it. Be sure that nobody else is on it.',
        ],
        go: 'Nobody is: set the key',
      };
      if ((await ask(key === 'none' || key === 'lost' ? first : keyed)) === undefined) return;
      await start({ kind: 'setKey', device });
    },

    /** `rate`: the speed that the line has; the only one where its converter keeps it. */
    async discover(bus, rate, canSetRate) {
      const answer = await ask({
        title: `Search for readers on ${bus}`,
        text: 'Readers in service go on reading cards meanwhile. All speeds and addresses take some minutes.',
        fields: [
          canSetRate
            ? checkField(
                'rate',
                'At these speeds',
                BAUD_RATES.map((at) => ({
                  value: at,
                  words: baud(at),
                  checked: at === rate || LIKELY_RATES.includes(at),
                })),
              )
            : [],
          numberField('last', 'Addresses from 0 up to', { min: 0, max: ADDRESS_MAX, value: ADDRESS_MAX }),
        ],
        go: 'Search',
      });
      if (answer === undefined) return;
      const rates = (answer.rate ?? []).map(Number);
      const last = Number(answer.last[0]);
      await start({
        kind: 'discover',
        bus,
        ...(rates.length === 0 || rates.length === BAUD_RATES.length ? {} : { baudRates: rates }),
        ...(last === ADDRESS_MAX ? {} : { addresses: Array.from({ length: last + 1 }, (_, address) => address) }),
      });
    },

    async setAddress(bus, { address, baudRate, device: own }) {
      const devices = planned(bus);
      const waiting = [
        ...devices.filter(({ id }) => id === own).map((device) => [device.address, `${address} – ${name(own)}`]),
        ...missingDevices(bus, model()).map(({ id, address: at }) => [at, `${at} – ${name(id)}, not found yet`]),
      ];
      const taken = new Set(devices.map((device) => device.address));
      const free = Array.from({ length: ADDRESS_MAX + 1 }, (_, at) => at).filter((at) => !taken.has(at));
      const answer = await ask({
        title: `Move the reader at address ${address}`,
        text: 'It is told its new address and the speed of the bus. If it is not found there, the old ones are tried again.',
        fields: [selectField('to', 'New address', [...waiting, ...free.map((at) => [at, `${at} – not in the plan`])])],
        go: 'Set the address',
      });
      if (answer === undefined) return;
      await start({ kind: 'setAddress', bus, address, baudRate, newAddress: Number(answer.to[0]) });
    },

    async setBusSpeed(bus, now) {
      const answer = await ask({
        title: `Change the speed of ${bus}`,
        text: `${count(planned(bus).length, 'reader')} are told one after the other, then the line changes. Unless all of them answer, everything goes back. It takes some seconds in which no card is read.`,
        fields: [
          selectField(
            'rate',
            'New speed',
            BAUD_RATES.filter((rate) => rate !== now).map((rate) => [rate, baud(rate)]),
          ),
        ],
        go: 'Change the speed',
      });
      if (answer === undefined) return;
      await start({ kind: 'setBusSpeed', bus, baudRate: Number(answer.rate[0]) });
    },

    async capture(bus) {
      const answer = await ask({
        title: `Record the frames of ${bus}`,
        text: 'To a file in the data directory of the gateway, encrypted as they are on the line.',
        fields: [selectField('seconds', 'How long', CAPTURE_SECONDS, { chosen: 60 })],
        go: 'Record',
      });
      if (answer === undefined) return;
      await start({ kind: 'capture', bus, seconds: Number(answer.seconds[0]) });
    },

    async transfer({ id, name: bundle, version }) {
      const { view, site } = model();
      const links = new Map(site.readers.map(({ deviceId, link }) => [deviceId, link]));
      const answer = await ask({
        title: `Send ${bundle} ${version}`,
        text: 'One reader of a door at a time, so that doors stay usable. A reader may restart when it has everything.',
        fields: [
          checkField(
            'device',
            'To these readers',
            view.devices.map((device) => ({
              value: device.id,
              words: name(device.id),
              note: `${device.bus}, address ${device.address}`,
              disabled: links.get(device.id) === 'offline',
            })),
          ),
          checkField('outage', 'Doors that are out of order meanwhile', [
            {
              value: 'accepted',
              words: 'Somebody stands at them',
              note: 'for devices that drive a lock or an exit button',
            },
          ]),
        ],
        go: 'Send',
      });
      if (answer?.device === undefined) return;
      const acceptDoorOutage = answer.outage !== undefined;
      await start({ kind: 'transfer', bundle: id, devices: answer.device, acceptDoorOutage });
    },
  };
}
