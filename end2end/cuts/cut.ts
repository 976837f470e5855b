// What a cut is: a harm, and the point of an unlock at which it is done.

import type { BridgeMessage } from '../harness/cardholder.ts';
import type { LossPoint } from '../harness/proxy.ts';

/** What is done at the point of the cut. */
export type Harm =
  /** The card is pulled. */
  | 'card pulled'
  /** The reader is unplugged, with the card in it. */
  | 'reader unplugged'
  /** The PC/SC service gets a SIGKILL. */
  | 'pcscd killed'
  /** The card bridge gets a SIGKILL. */
  | 'bridge killed'
  /** The service centre gets a SIGKILL, and what it was asked is lost. */
  | 'server killed'
  /** The request or its answer is lost. */
  | 'connection cut'
  /** The page is closed: what it knew, its cookies too, is lost. */
  | 'page closed';

/** Where an unlock is cut. */
export type Point =
  /** Before or after the card executes an APDU: the nth since it was put in, or the nth of an instruction. */
  | { at: 'apdu'; nth: number; instruction?: string; when: 'before' | 'after' }
  /** Before the page sends a message to the bridge, or when it has the reply. */
  | { at: 'message'; message: BridgeMessage; nth: number; when: 'before' | 'after' }
  /** Before the service has a request, while it works on it, or when it has answered. */
  | { at: 'request'; endpoint: string; nth: number; when: LossPoint };

export interface Cut {
  harm: Harm;
  point: Point;
  /** What is cut, in words: of an APDU its place cannot be told from its number. */
  what: string;
}

/** A cut in words. */
export function named({ harm, point, what }: Cut): string {
  const when = typeof point.when === 'number' ? `${point.when.toFixed(1)} ms into` : point.when;
  return `${harm} ${when} ${what}`;
}
