// Where the programs under test are. `make build` puts them there; the variables are for others, like debug builds.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

function program(variable: string, path: string): string {
  const named = process.env[variable] ?? `${root}${path}`;
  if (!existsSync(named)) throw new Error(`${named} is missing: make build (or name another by ${variable})`);
  return named;
}

export const programs = {
  serviceCentre: () => program('SERVICE_CENTRE', 'target/release/service-centre'),
  cardBridge: () => program('CARD_BRIDGE', 'target/release/card-bridge'),
  /** The bridge that was built with the feature `virtual-cards`. */
  cardBridgeWithVirtualCards: () =>
    program('CARD_BRIDGE_WITH_VIRTUAL_CARDS', 'target/release/card-bridge-with-virtual-cards'),
  /** Sends the APDUs of a card proof without a bridge. */
  directProof: () => program('DIRECT_PROOF', 'target/release/examples/direct_proof'),
  virtualCard: () => program('VIRTUAL_CARD', 'target/release/virtual-card'),
  /** People who unlock their cards, many at once. */
  loadGenerator: () => program('LOAD_GENERATOR', 'target/release/load-generator'),
};

/** The ports of the two slots of the virtual reader: `with-pcscd` names them. */
export function slotPort(slot: 'first' | 'second'): number {
  const port = process.env[slot === 'first' ? 'VPCD_PORT' : 'VPCD_SECOND_PORT'];
  if (!port) throw new Error('no virtual reader: run this by card-bridge/virtual-card/with-pcscd');
  return Number(port);
}
