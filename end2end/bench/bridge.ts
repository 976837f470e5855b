// The bridge: its size, its memory when nobody asks, and what it adds to a card operation.

import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import type { CardBox } from '../harness/cards.ts';
import { BridgeConnection } from '../harness/client.ts';
import { run } from '../harness/process.ts';
import { programs } from '../harness/programs.ts';
import { pause } from '../harness/until.ts';
import { World } from '../harness/world.ts';
import { type Measurement, measured, median } from './measure.ts';

const SIZE_BOUND_MB = 8;
const MEMORY_BOUND_MB = 15;
const OPERATIONS = 300;
const workspace = fileURLToPath(new URL('../../', import.meta.url));

export async function measureBridge(folder: string, cards: CardBox): Promise<Measurement[]> {
  const world = await World.start(folder, cards);
  try {
    await world.insert('member');
    const throughBridge = await proofs(world);
    await pause(3_000);
    const memory = await residentMemory(world.bridge.pid);
    const { size } = await stat(programs.cardBridge());
    const direct = await directProofs();
    return [
      measured('card bridge: program', size / 1e6, 'MB', SIZE_BOUND_MB),
      measured('card bridge: idle memory (RSS)', memory / 1e6, 'MB', MEMORY_BOUND_MB),
      measured('card proof through the bridge, median', throughBridge, 'ms'),
      measured('card proof, same APDUs directly with pcsc', direct.whole, 'ms'),
      measured('card proof, the APDUs alone', direct.apdus, 'ms'),
      measured('what the bridge adds to a card proof', throughBridge - direct.whole, 'ms'),
    ];
  } finally {
    await world.end();
  }
}

async function proofs(world: World): Promise<number> {
  const bridge = await BridgeConnection.open(world.bridge.url, world.service.origin);
  for (let times = 0; times < OPERATIONS; times += 1) {
    await bridge.proveCard('hello', randomBytes(32).toString('base64url'));
  }
  bridge.close();
  return median(bridge.took);
}

async function directProofs(): Promise<{ whole: number; apdus: number }> {
  const cargo = ['run', '--quiet', '--release', '--package', 'card-bridge', '--example', 'direct_proof'];
  const printed = await run('cargo', [...cargo, '--manifest-path', `${workspace}Cargo.toml`, '--', String(OPERATIONS)]);
  const [whole, apdus] = printed.trim().split(' ').map((microseconds) => Number(microseconds) / 1000);
  if (!whole || !apdus) throw new Error(`direct_proof printed «${printed}»`);
  return { whole, apdus };
}

/** Bytes of memory that a process holds now. */
async function residentMemory(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (!kilobytes) throw new Error('the bridge is not running');
  return Number(kilobytes) * 1024;
}
