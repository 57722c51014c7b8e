import type { FastifyInstance } from 'fastify';
import { READER_QUIRK_NAMES, READER_QUIRKS, type PdDevice, type ReaderQuirk } from '../devices/index.js';
import { LINE_CONDITIONS, LINE_FAULTS, type LineCondition, type LineFaultRates } from '../world/index.js';
import { closed, found } from './http-parts.js';
import type { LiveSite } from './live-site.js';

const rate = { type: 'number', minimum: 0, maximum: 1 };
const RATES = closed(Object.fromEntries(LINE_FAULTS.map((fault) => [fault, rate])));
const RESET_BODY = closed({ address: { type: 'integer', minimum: 0, maximum: 126 } });
const QUIRKS_BODY = closed({ quirks: { type: 'array', items: { enum: READER_QUIRK_NAMES }, uniqueItems: true } }, [
  'quirks',
]);
const CABLE_BODY = closed({ connected: { type: 'boolean' }, crossed: { type: 'boolean' }, faults: RATES });
const LINE_BODY = closed({ faults: RATES, condition: { enum: [...LINE_CONDITIONS, null] } });

interface CableBody {
  readonly connected?: boolean;
  readonly crossed?: boolean;
  readonly faults?: LineFaultRates;
}
interface LineBody {
  readonly faults?: LineFaultRates;
  readonly condition?: LineCondition | null;
}

/** What can go wrong with devices and lines of a live site, to be chosen by a visitor. Rates are those of one transmission. */
export function addFaultRoutes(app: FastifyInstance, site: LiveSite): void {
  app.get('/faults', () => ({ quirks: READER_QUIRKS, faults: LINE_FAULTS, conditions: LINE_CONDITIONS }));

  const onDevice = <B>(action: string, body: object, act: (device: PdDevice, body: B) => void) =>
    app.post<{ Params: { id: string } }>(`/devices/:id/${action}`, { schema: { body } }, (request, reply) => {
      act(found(site.devices, request.params.id, 'device'), request.body as B);
      site.changed();
      return reply.code(204).send();
    });
  onDevice<{ address?: number }>('factory-reset', RESET_BODY, ({ id }, { address }) => site.factoryReset(id, address));
  onDevice<{ quirks: ReaderQuirk[] }>('quirks', QUIRKS_BODY, (device, { quirks }) => device.setQuirks(quirks));
  onDevice<CableBody>('cable', CABLE_BODY, (device, { connected, crossed, faults }) => {
    if (connected !== undefined) device.setConnected(connected);
    if (crossed !== undefined) device.stub.crossed = crossed;
    if (faults !== undefined) device.stub.faults.setRates(faults);
  });

  app.post<{ Params: { id: string } }>('/lines/:id/faults', { schema: { body: LINE_BODY } }, (request, reply) => {
    const line = found(site.lines, request.params.id, 'line');
    const { faults, condition } = request.body as LineBody;
    if (faults !== undefined) line.faults.setRates(faults);
    if (condition !== undefined) line.condition = condition ?? undefined;
    site.changed();
    return reply.code(204).send();
  });
}
