// The whole unlock, driven by a script: the card inside the bridge, the mail read at once, nobody typing.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CardBox, IssuedCard } from '../harness/cards.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomPasscode } from '../harness/people.ts';
import { World } from '../harness/world.ts';
import { BridgeConnection, type CardProof, Pages, type Sealed } from './client.ts';
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
    policy: { resend_seconds: 0, codes_an_hour: 60 },
    logFilter: 'info,sqlx=warn,server::hasher=trace',
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
  const loggedBefore = (await readFile(world.service.log)).length;
  const began = performance.now();
  const pages = new Pages(world.service.origin);
  const bridge = await BridgeConnection.open(world.bridge.url, world.service.origin);
  const prove = async (challengeFor: 'Attempt' | 'Release'): Promise<CardProof> => {
    const challenge = await pages.call<string>('unlock/challenge', { purpose: challengeFor });
    return bridge.proveCard(challengeFor.toLowerCase(), challenge);
  };

  const proof = await bridge.proveCard('unlock', await pages.call<string>('unlock/start'));
  await pages.call('unlock/identify', { proof });
  const { Questions } = await pages.call<{ Questions: { asked: { id: number }[] } }>('unlock/view');
  const answers = Questions.asked.map(({ id }) => ({
    question: id,
    answer: card.registered?.answers.find(({ question }) => question === id)?.answer,
  }));
  expectRight(await pages.call('unlock/answer', { proof: await prove('Attempt'), answers }));
  const code = codeIn(await world.mailbox.next());
  expectRight(await pages.call('unlock/code', { proof: await prove('Attempt'), code }));
  const keys = await pages.call<Sealed>('unlock/release', { proof: await prove('Release') });
  const completion = await bridge.resetPasscode(randomPasscode(), keys);
  await pages.call('unlock/complete', { proof: completion });
  const whole = performance.now() - began;
  bridge.close();

  // «Your Smartcard was unlocked»
  await world.mailbox.next();
  const log = (await readFile(world.service.log)).subarray(loggedBefore).toString();
  const hashes = [...log.matchAll(/hashed microseconds=(\d+)/g)].map((found) => Number(found[1]) / 1000);
  if (hashes.length < answers.length + 2) throw new Error(`only ${hashes.length} hashes were logged`);
  const sum = (list: number[]) => list.reduce((total, one) => total + one, 0);
  return { whole, card: sum(bridge.took), argon2: sum(hashes) };
}

function expectRight(outcome: unknown): void {
  if (outcome !== 'Right') throw new Error(JSON.stringify(outcome));
}
