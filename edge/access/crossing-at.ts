import { crossing, type AccessPoint, type Crossing } from '@sparc/protocol/policy';
import type { PolicyView } from './policy-view.js';

/** By access point, once a revision: views are immutable. */
const crossings = new WeakMap<PolicyView, Map<string, Crossing>>();

/** The areas that a passage at an access point of a revision enters and leaves. */
export function crossingAt(view: PolicyView, accessPoint: AccessPoint): Crossing {
  let ofView = crossings.get(view);
  if (!ofView) crossings.set(view, (ofView = new Map<string, Crossing>()));
  let found = ofView.get(accessPoint.id);
  if (!found) ofView.set(accessPoint.id, (found = crossing((id) => view.area(id), accessPoint)));
  return found;
}
