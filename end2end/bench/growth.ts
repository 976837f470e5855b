// What is slower when more than a million people are in the database: to find somebody, and to begin an unlock. Two services
// run side by side, one with few people and one with many, and are asked in turn.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CardBox, IssuedCard } from '../harness/cards.ts';
import { BridgeConnection, Pages } from '../harness/client.ts';
import { World } from '../harness/world.ts';
import { type Measurement, measured, median } from './measure.ts';
import { emailOf, nameOf, userNumber, writeFiles } from './rows.ts';

const FEW = 1_000;
const MANY = Number(process.env.PEOPLE ?? 1_300_000);
const RUNS = 200;
const BOUND = 1.2;

export async function measureGrowth(folder: string, cards: CardBox): Promise<Measurement[]> {
  const places = [await Place.make(join(folder, 'few'), cards, FEW), await Place.make(join(folder, 'many'), cards, MANY)];
  try {
    const asked: Record<string, (place: Place, run: number) => Promise<number>> = {
      'find a person by name': (place, run) => place.find(nameOf(place.someone(run))),
      'find a person by address': (place, run) => place.find(emailOf(place.someone(run))),
      'find a person by user number': (place, run) => place.find(userNumber(place.someone(run))),
      'begin an unlock': (place) => place.begin(),
    };
    const list: Measurement[] = [];
    for (const [name, ask] of Object.entries(asked)) {
      const took: number[][] = places.map(() => []);
      for (let run = 0; run < RUNS + 10; run += 1) {
        for (const [at, place] of places.entries()) {
          const milliseconds = await ask(place, run);
          // The first warm up.
          if (run >= 10) took[at]?.push(milliseconds);
        }
      }
      const [few = 0, many = 0] = took.map(median);
      list.push(measured(`${name}, among ${MANY}`, many, 'ms'));
      list.push(measured(`${name}: times as long as among ${FEW}`, many / few, 'times', BOUND));
    }
    return list;
  } finally {
    for (const place of places) await place.end();
  }
}

/** A service with so many people, an officer who is signed in, and a member whose card is in the reader. */
class Place {
  #officer: Pages | undefined;
  #connection: BridgeConnection | undefined;

  private constructor(
    readonly world: World,
    readonly count: number,
  ) {}

  static async make(folder: string, cards: CardBox, count: number): Promise<Place> {
    const box = await cards.copy(`${folder}.cards`);
    await writeFile(join(box.folder, 'inserted'), 'member');
    await writeFile(join(box.folder, 'inserted-2'), 'officer');
    const world = await World.start(folder, box, {
      virtualCards: true,
      policy: { unlocks_an_hour: 1000, session_idle_minutes: 60 },
    });
    const place = new Place(world, count);
    const { people, cards: encrypted } = await writeFiles(folder, count, (await world.service.command('import-key')).trim());
    await world.service.command('import', people, encrypted);
    // What a long import has left to be tidied up is not what is measured.
    await world.service.stop();
    await world.service.start();
    await place.#signIn(world.box.card('officer'));
    return place;
  }

  /** The number of one of them, another each time, spread over all. */
  someone(run: number): number {
    return (run * 7_919_317) % this.count;
  }

  async #signIn(card: IssuedCard): Promise<void> {
    const { service, bridge } = this.world;
    await service.command('grant-ra', card.userNumber, '--role', 'ra-agent');
    const connection = await BridgeConnection.open(bridge.url, service.origin);
    const officer = new Pages(service.origin);
    const reader = 'Second virtual reader';
    const hello = await connection.proveCard('hello', await officer.call('session/start'), reader);
    const challenge = await officer.call<string>('session/confirm-card', { proof: hello });
    const proof = await connection.proveHolder('sign-in', challenge, card.passcode, reader);
    await officer.call('session/sign-in', { proof });
    [this.#officer, this.#connection] = [officer, connection];
  }

  /** How long it takes to find somebody, in milliseconds. */
  async find(text: string): Promise<number> {
    const began = performance.now();
    const found = await this.#officer?.call<{ people: object[] }>('ra/find', { text });
    const took = performance.now() - began;
    if (found?.people.length !== 1) throw new Error(`«${text}»: ${JSON.stringify(found)}`);
    return took;
  }

  /** How long the service takes to begin an unlock, in milliseconds: without the card and its bridge. */
  async begin(): Promise<number> {
    const pages = new Pages(this.world.service.origin);
    const began = performance.now();
    const challenge = await pages.call<string>('unlock/start');
    const started = performance.now() - began;
    const proof = await this.#connection?.proveCard('unlock', challenge, 'Virtual reader');
    const proved = performance.now();
    const begun = await pages.call('unlock/identify', { proof });
    const took = started + performance.now() - proved;
    if (begun !== 'Flow') throw new Error(JSON.stringify(begun));
    return took;
  }

  async end(): Promise<void> {
    this.#connection?.close();
    await this.world.end();
  }
}
