// One server against three on the same PostgreSQL, which writes as durably as it would for good. All of them share the
// processors of this machine with the database and with what asks them, so that three cannot do three times as much: what
// shows is what they cost each other. How much any number of servers can do follows from the time in which an unlock has the
// database for itself.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { CardBox } from '../harness/cards.ts';
import { freePort } from '../harness/ports.ts';
import { Schema } from '../harness/postgres.ts';
import { ServiceCentre } from '../harness/service.ts';
import { Crowd, FOR_A_CROWD } from './crowd.ts';
import { AT_ONCE as AT_ONCE_ALONE, good, onOneProcessor } from './load.ts';
import { type Measurement, measured, median } from './measure.ts';
import { measureRush } from './rush.ts';

const PEOPLE = { people: 150 };
const RUSH_PEOPLE = { people: 300 };
const SERVERS = 3;
const AT_ONCE = 24;
const SECONDS = 10;
const TURNS = 3;

/** So few that nobody waits for anybody. */
const CALM = 2;

export async function measureServers(folder: string, _cards: CardBox): Promise<Measurement[]> {
  return [...(await severalServers(folder)), ...(await rushOnPostgres(join(folder, 'rush')))];
}

async function severalServers(folder: string): Promise<Measurement[]> {
  const schema = await Schema.make();
  const services: ServiceCentre[] = [];
  let crowd: Crowd | undefined;
  try {
    const mailPort = await freePort();
    for (let number = 0; number < SERVERS; number += 1) {
      services.push(await configured(join(folder, String(number)), schema, mailPort, services[0]));
    }
    const [first] = services;
    if (!first) throw new Error('no server');
    await Crowd.takeIn(first, PEOPLE);
    crowd = await Crowd.start(PEOPLE, first, services.map(({ options }) => options.listenPort ?? 0), mailPort);
    for (const service of services) await service.start();
    return await measureAll(services, crowd);
  } finally {
    await crowd?.end();
    for (const service of services) await service.stop();
    await schema.drop();
  }
}

/** What becomes of ten times as many as one server on PostgreSQL can serve with one processor; the database has the other one. */
async function rushOnPostgres(folder: string): Promise<Measurement[]> {
  const schema = await Schema.make();
  try {
    return await onOneProcessor({ folder, databaseUrl: schema.url }, RUSH_PEOPLE, async (service, crowd) => {
      const { a_second } = good(await crowd.round({ at_once: AT_ONCE_ALONE }, SECONDS));
      return measureRush([service], crowd, a_second, ', on PostgreSQL');
    });
  } finally {
    await schema.drop();
  }
}

async function configured(folder: string, schema: Schema, mailPort: number, first?: ServiceCentre): Promise<ServiceCentre> {
  await mkdir(folder, { recursive: true });
  const service = new ServiceCentre({
    folder,
    port: first?.options.port ?? (await freePort()),
    listenPort: await freePort(),
    bridgePort: await freePort(),
    adminPort: await freePort(),
    mailPort,
    databaseUrl: schema.url,
    dataOf: first,
    ...FOR_A_CROWD,
  });
  await service.configure();
  return service;
}

async function measureAll(services: ServiceCentre[], crowd: Crowd): Promise<Measurement[]> {
  const rate = async (servers: number) => {
    return good(await crowd.round({ at_once: AT_ONCE }, SECONDS, { servers })).a_second;
  };
  // What is made once: connections, statements, memory.
  good(await crowd.round({ at_once: AT_ONCE }, 3));
  const rates = { one: [] as number[], three: [] as number[] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    rates.one.push(await rate(1));
    rates.three.push(await rate(SERVERS));
  }
  const before = await inTransactions(services);
  const { completed } = good(await crowd.round({ a_second: CALM }, SECONDS));
  const turn = ((await inTransactions(services)) - before) / completed;
  const [one, three] = [median(rates.one), median(rates.three)];
  return [
    measured('unlocks of one server on PostgreSQL, all on this machine', one, 'a second'),
    measured(`unlocks of ${SERVERS} servers on it`, three, 'a second'),
    measured(`unlocks of ${SERVERS} servers, of what one does on the same processors`, (three / one) * 100, '%'),
    measured('an unlock has PostgreSQL for itself for', turn * 1000, 'ms'),
    measured('so that all servers together do at most', 1 / turn, 'a second'),
  ];
}

/** How long the transactions of all servers have taken, in seconds. */
async function inTransactions(services: ServiceCentre[]): Promise<number> {
  const sums = await Promise.all(services.map((service) => service.figure('transaction_seconds_sum')));
  return sums.reduce((sum, seconds) => sum + seconds, 0);
}
