// The bridge: its size, its start, what it holds and does when nobody asks, and what it adds to a card operation. Cards
// and a bridge, and no service.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { CardBridge } from '../harness/bridge.ts';
import { type CardBox, Slot } from '../harness/cards.ts';
import { BridgeConnection } from '../harness/client.ts';
import { freePort } from '../harness/ports.ts';
import { run } from '../harness/process.ts';
import { programs } from '../harness/programs.ts';
import { pause } from '../harness/until.ts';
import { type AusweisApp, measureAusweisApp } from './ausweisapp.ts';
import { type Measurement, measured, median } from './measure.ts';
import { residentMemory, startListening, wakeUps } from './processes.ts';

const SIZE_BOUND_MB = 6;
const START_BOUND_MS = 50;
const MEMORY_BOUND_MB = 10;
const WAKE_UPS_BOUND = 0;
const ADDED_BOUND_MS = 0.3;
const ADDED_TO_SLOW_BOUND = 5;

const STARTS = 15;
/** The two ways to a card take turns so often. What else the machine does only slows them, so the fastest round counts. */
const ROUNDS = 9;
const PROOFS = 50;
const SLOW_PROOFS = 3;
/** How long a card takes for an APDU that is not this fast machine's, in milliseconds. */
const SLOW_APDU_MS = 50;
/** Longer than threads are kept for more of the same work. */
const REST_MS = 15_000;
const WATCHED_SECONDS = 10;

const ORIGIN = 'https://smartcards.example.org';

export async function measureBridge(folder: string, cards: CardBox): Promise<Measurement[]> {
  await mkdir(folder, { recursive: true });
  const box = await cards.copy(join(folder, 'cards'));
  const log = join(folder, 'virtual-card.log');
  const reader = new Slot(box, 'first', log);
  const slowReader = new Slot(box, 'first', log, { ...reader.kind, delay: SLOW_APDU_MS });
  const port = await freePort();
  const bridge = new CardBridge({ folder, port, origin: ORIGIN, serviceKeys: [publicKey()] });
  try {
    await reader.insert('member');
    const { size } = await stat(programs.cardBridge());
    const start = await starts(bridge);

    await bridge.start();
    await bridge.sees(1);
    const page = await BridgeConnection.open(bridge.url, ORIGIN);
    const fast = await compared(page, PROOFS);
    await pause(REST_MS);
    const memory = await residentMemory(bridge.pid);
    const idle = await wakeUps(bridge.pid, WATCHED_SECONDS);

    await reader.remove();
    await bridge.sees(0);
    await slowReader.insert('member');
    await bridge.sees(1);
    const slow = await compared(page, SLOW_PROOFS);
    page.close();
    await bridge.stop();

    const other = await measureAusweisApp(folder, STARTS, REST_MS);
    return [
      measured('card bridge: program', size / 1e6, 'MB', SIZE_BOUND_MB),
      measured(`card bridge: start to listening, median of ${STARTS}`, start, 'ms', START_BOUND_MS),
      measured('card bridge: idle memory (RSS)', memory / 1e6, 'MB', MEMORY_BOUND_MB),
      measured('card bridge: wake-ups when idle, a page connected', idle, 'a second', WAKE_UPS_BOUND),
      measured('card proof through the bridge, median', fast.throughBridge, 'ms'),
      measured('card proof, same APDUs directly with pcsc', fast.directly, 'ms'),
      measured('card proof, the APDUs alone', fast.apdus, 'ms'),
      measured('what the bridge adds to a card proof', fast.throughBridge - fast.directly, 'ms', ADDED_BOUND_MS),
      measured(`card proof where an APDU takes ${SLOW_APDU_MS} ms, through the bridge`, slow.throughBridge, 'ms'),
      measured('the same directly with pcsc', slow.directly, 'ms'),
      measured('what the bridge adds to that', (slow.throughBridge / slow.directly - 1) * 100, '%', ADDED_TO_SLOW_BOUND),
      ...beside(other, start, memory),
    ];
  } finally {
    await bridge.stop();
    await reader.remove();
    await slowReader.remove();
  }
}

/** AusweisApp2's figures, and how many times the bridge's they are. */
function beside(other: AusweisApp | undefined, start: number, memory: number): Measurement[] {
  if (!other) {
    console.error('bench: AusweisApp2 is not installed, so nothing is compared with it');
    return [];
  }
  return [
    measured(`AusweisApp2, headless: start to listening, median of ${STARTS}`, other.start, 'ms'),
    measured('AusweisApp2, headless: idle memory (RSS)', other.memory / 1e6, 'MB'),
    measured('AusweisApp2 compared with the card bridge: start', other.start / start, 'times'),
    measured('AusweisApp2 compared with the card bridge: memory', other.memory / memory, 'times'),
  ];
}

/** The median time from the start of the program until it takes connections. */
async function starts(bridge: CardBridge): Promise<number> {
  const took: number[] = [];
  for (let times = 0; times < STARTS; times += 1) {
    const { command, env } = await bridge.command();
    const running = await startListening(command, bridge.options.port, env);
    took.push(running.took);
    await running.end();
  }
  return median(took);
}

/** Times of card proofs, in milliseconds: of each way the median of its fastest round. */
interface Compared {
  throughBridge: number;
  directly: number;
  apdus: number;
}

/** Card proofs through the bridge and without it, by turns. */
async function compared(page: BridgeConnection, proofs: number): Promise<Compared> {
  const fastest: Compared = { throughBridge: Infinity, directly: Infinity, apdus: Infinity };
  for (let round = 0; round < ROUNDS; round += 1) {
    page.took.length = 0;
    for (let times = 0; times < proofs; times += 1) {
      await page.proveCard('hello', randomBytes(32).toString('base64url'));
    }
    const { whole, apdus } = await directProofs(proofs);
    fastest.throughBridge = Math.min(fastest.throughBridge, median(page.took));
    fastest.directly = Math.min(fastest.directly, whole);
    fastest.apdus = Math.min(fastest.apdus, apdus);
  }
  return fastest;
}

async function directProofs(proofs: number): Promise<{ whole: number; apdus: number }> {
  const printed = await run(programs.directProof(), [String(proofs)]);
  const [whole, apdus] = printed.trim().split(' ').map((microseconds) => Number(microseconds) / 1000);
  if (!whole || !apdus) throw new Error(`direct_proof printed «${printed}»`);
  return { whole, apdus };
}

/** The key of a service that need not be there: nothing is sealed for it. */
function publicKey(): string {
  const { x } = generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' });
  if (!x) throw new Error('no key');
  return x;
}
