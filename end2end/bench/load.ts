// How many unlocks a processor can do against what Argon2 alone would allow, how long each server function takes at half
// of that, and what becomes of ten times as many. The service has one processor, and what asks it another one.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { CardBox } from '../harness/cards.ts';
import { freePort } from '../harness/ports.ts';
import { run } from '../harness/process.ts';
import { ServiceCentre, type ServiceOptions } from '../harness/service.ts';
import { Crowd, FOR_A_CROWD, type Outcome, type People, type Summary, argon2Alone } from './crowd.ts';
import { type Measurement, atLeast, measured, median } from './measure.ts';
import { measureRush } from './rush.ts';

const PEOPLE = { people: 300, newcomers: 40 };
const [SERVICE, CROWD] = [0, 1];

/** The hashes of an unlock: three answers, a code that is made, a code that is entered. */
const HASHES = 5;

/** How many are under way where the service is never to be idle. */
export const AT_ONCE = 12;
const TURNS = 7;
const SECONDS = 9;

/** What comes at half load, of the most unlocks: a registration takes six hashes, all that is rarely done 28. */
const [UNLOCKS, REGISTRATIONS, RARITIES] = [0.33, 0.05, 0.02];
const HALF_LOAD_SECONDS = 60;

/** How much of what Argon2 alone allows is to be left of it, in per cent. */
const EFFICIENCY = 90;

export async function measureLoad(folder: string, _cards: CardBox): Promise<Measurement[]> {
  return onOneProcessor({ folder }, PEOPLE, measureAll);
}

/** Starts a service that has one processor, and a crowd on another one. */
export async function onOneProcessor(
  where: Pick<ServiceOptions, 'folder' | 'databaseUrl'>,
  people: People,
  measure: (service: ServiceCentre, crowd: Crowd) => Promise<Measurement[]>,
): Promise<Measurement[]> {
  const [port, bridgePort, mailPort, adminPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const service = new ServiceCentre({
    ...where,
    port,
    bridgePort,
    mailPort,
    adminPort,
    processor: SERVICE,
    ...FOR_A_CROWD,
  });
  await service.configure();
  await Crowd.takeIn(service, people);
  const crowd = await Crowd.start(people, service, [port], mailPort, CROWD);
  try {
    await service.start();
    // What is made once: connections, statements, memory.
    good(await crowd.round({ at_once: AT_ONCE }, 3));
    return await measure(service, crowd);
  } finally {
    await crowd.end();
    await service.stop();
  }
}

async function measureAll(service: ServiceCentre, crowd: Crowd): Promise<Measurement[]> {
  const rates: number[] = [];
  const shares: number[] = [];
  let before = await argon2Alone(SERVICE, 2);
  for (let turn = 0; turn < TURNS; turn += 1) {
    const { a_second } = good(await crowd.round({ at_once: AT_ONCE }, SECONDS));
    const after = await argon2Alone(SERVICE, 2);
    rates.push(a_second);
    shares.push(a_second / ((before + after) / 2 / HASHES));
    before = after;
  }
  const rate = median(rates);
  const list = [
    measured('unlocks of one processor', rate, 'a second'),
    atLeast('unlocks of one processor, of what Argon2 alone allows', median(shares) * 100, '%', EFFICIENCY),
  ];
  const beside = { desk: true, newcomers: rate * REGISTRATIONS, rarities: rate * RARITIES };
  const half = good(await crowd.round({ a_second: rate * UNLOCKS }, HALF_LOAD_SECONDS, beside));
  const asked = new Set(Object.keys({ ...half.desk, ...half.functions }));
  const unasked = (await serverFunctions()).filter((name) => !asked.has(name));
  if (unasked.length > 0) throw new Error(`nobody asked for ${unasked.join(', ')}`);
  if (half.registered === 0 || half.rarities === 0) throw new Error('nobody registered, or did what is rare');
  for (const [name, of] of Object.entries(half.desk)) {
    list.push(...latencies(`at half load, an officer's ${name}`, of));
  }
  for (const [name, of] of Object.entries(half.functions)) {
    list.push(...latencies(`at half load, ${name}`, of));
  }

  list.push(...(await pages(`${service.origin}/unlock`)));
  list.push(...(await measureRush([service], crowd, rate)));
  return list;
}

/** The names of all server functions but the demonstration's. */
async function serverFunctions(): Promise<string[]> {
  const folder = fileURLToPath(new URL('../../app/src/server_fns', import.meta.url));
  const files = (await readdir(folder)).filter((file) => file.endsWith('.rs'));
  const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const names = sources.flatMap((source) => [...source.matchAll(/endpoint = "(.*?)"/g)].map(([, name = '']) => name));
  return names.filter((name) => !name.startsWith('demo/'));
}

/** How many times a second one processor makes a page. Nobody needs a card for it, so a load tool asks. */
async function pages(url: string): Promise<Measurement[]> {
  const autocannon = fileURLToPath(new URL('node_modules/autocannon/autocannon.js', import.meta.url));
  const args = [process.execPath, autocannon, '--json', '--connections', '8', '--duration', '8', url];
  const found = JSON.parse(await run('taskset', ['--cpu-list', String(CROWD), ...args])) as PagesFound;
  if (found.non2xx + found.errors > 0) throw new Error(`${found.non2xx} pages were refused, ${found.errors} not answered`);
  return [
    measured('the unlock page, by autocannon', found.requests.average, 'a second'),
    measured('the unlock page, by autocannon: p99', found.latency.p99, 'ms'),
  ];
}

interface PagesFound {
  non2xx: number;
  errors: number;
  requests: { average: number };
  latency: { p99: number };
}

/** A round in which everybody is to have completed. */
export function good(outcome: Outcome): Outcome {
  const { begun, completed, busy, failed, desk_failed } = outcome;
  const faults = Object.keys({ ...failed, ...desk_failed });
  if (completed !== begun || busy + faults.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome;
}

function latencies(name: string, { p50_ms, p99_ms }: Summary): Measurement[] {
  return [measured(`${name}: p50`, p50_ms, 'ms'), measured(`${name}: p99`, p99_ms, 'ms')];
}
