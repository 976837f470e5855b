// The whole unlock, driven by a script: the card inside the bridge, the mail read at once, nobody typing.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Cardholder } from '../harness/cardholder.ts';
import type { CardBox, IssuedCard } from '../harness/cards.ts';
import { randomPasscode } from '../harness/people.ts';
import { World } from '../harness/world.ts';
import { type Measurement, measured, median } from './measure.ts';

const RUNS = 15;
const BOUND_MS = 150;

/** How long the parts of one unlock took, in milliseconds. */
interface Parts {
  whole: number;
  card: number;
  argon2: number;
}

export async function measureUnlock(folder: string, cards: CardBox): Promise<Measurement[]> {
  // The card that the bridge finds inserted when it starts.
  await writeFile(join(cards.folder, 'inserted'), 'member');
  const world = await World.start(folder, cards, {
    virtualCards: true,
    policy: { resend_seconds: 0, codes_an_hour: 60, unlocks_an_hour: 1000 },
    withFigures: true,
  });
  try {
    const card = world.box.card('member');
    const runs: Parts[] = [];
    // The first warms up: connections, statements, pages of memory.
    for (let run = 0; run <= RUNS; run += 1) {
      const parts = await unlock(world, card);
      if (run > 0) runs.push(parts);
    }
    const of = (part: (parts: Parts) => number) => median(runs.map(part));
    return [
      measured(`whole unlock by a script, median of ${RUNS}`, of(({ whole }) => whole), 'ms'),
      measured('whole unlock: Argon2', of(({ argon2 }) => argon2), 'ms'),
      measured('whole unlock: card and bridge', of(({ card }) => card), 'ms'),
      measured('whole unlock: everything else', of(({ whole, argon2, card }) => whole - argon2 - card), 'ms', BOUND_MS),
    ];
  } finally {
    await world.end();
  }
}

async function unlock(world: World, card: IssuedCard): Promise<Parts> {
  const before = await hashed(world);
  const began = performance.now();
  const holder = new Cardholder(world, card);
  await holder.begin();
  const page = await holder.view();
  if (typeof page === 'string' || !('Questions' in page)) throw new Error(JSON.stringify(page));
  const { asked } = page.Questions;
  await holder.answer(asked);
  await holder.enterCode();
  await holder.writeCard(randomPasscode());
  const whole = performance.now() - began;
  const cardTook = [...holder.took];
  holder.close();

  // The code, and «Your Smartcard was unlocked».
  await world.mailbox.next();
  await world.mailbox.next();
  const after = await hashed(world);
  const times = after.times - before.times;
  if (times !== asked.length + 2) throw new Error(`${times} hashes were made`);
  return { whole, card: cardTook.reduce((total, one) => total + one, 0), argon2: after.ms - before.ms };
}

/** How many hashes the service has made, and how long that took. */
async function hashed({ service }: World): Promise<{ times: number; ms: number }> {
  return {
    times: await service.figure('hash_seconds_count'),
    ms: (await service.figure('hash_seconds_sum')) * 1000,
  };
}
