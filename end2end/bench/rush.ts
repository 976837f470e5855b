// Ten times as many people as can be served, each with connections of their own: what becomes of them, and of an officer.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { ServiceCentre } from '../harness/service.ts';
import type { Crowd, Summary } from './crowd.ts';
import { type Measurement, measured } from './measure.ts';
import { peakMemory } from './processes.ts';

/** How many times as many come as can be served. */
const RUSH = 10;
const SECONDS = 24;
/** As many as browsers make to one server. */
const CONNECTIONS = 6;

const MEMORY_MB = 400;
/** The service answers within so long, whatever it is: there is no time-out. */
const ANSWERED_WITHIN_MS = 30_000;
/** What an officer waits for an answer then. */
const DESK_MS = 1_000;

/** A rush to servers that can do so many unlocks a second; `where` says which, in each row. */
export async function measureRush(
  services: ServiceCentre[],
  crowd: Crowd,
  rate: number,
  where = '',
): Promise<Measurement[]> {
  const at = `at ${RUSH} times the load${where}`;
  for (const { pid } of services) await forgetPeak(pid);
  const rush = await crowd.round({ a_second: rate * RUSH }, SECONDS, { desk: true, connections: CONNECTIONS });
  const failed = Object.values({ ...rush.failed, ...rush.desk_failed }).reduce((sum, count) => sum + count, 0);
  if (failed > 0) console.error(rush.failed, rush.desk_failed);
  const memory = await Promise.all(services.map(({ pid }) => peakMemory(pid)));
  const list = [
    measured(`${at}: unlocks that failed otherwise than by 503, and officers not served`, failed, 'times', 0),
    measured(`${at}: 503 without Retry-After`, rush.untold, 'times', 0),
    measured(`${at}: told to come later`, (rush.busy / rush.begun) * 100, '%'),
    measured(`${at}: unlocks against the most`, (rush.a_second / rate) * 100, '%'),
    measured(`${at}: the slowest answer`, Math.max(...Object.values(rush.functions).map(slowest)), 'ms', ANSWERED_WITHIN_MS),
    measured(`${at}: memory at most`, Math.max(...memory) / 1e6, 'MB', MEMORY_MB),
  ];
  for (const [name, { p50_ms, p99_ms }] of Object.entries(rush.desk)) {
    list.push(measured(`${at}: an officer's ${name}, p50`, p50_ms, 'ms'));
    list.push(measured(`${at}: an officer's ${name}, p99`, p99_ms, 'ms', DESK_MS));
  }
  return list;
}

function slowest({ max_ms, busy_max_ms }: Summary): number {
  return Math.max(max_ms, busy_max_ms);
}

/** From now on the most memory that a program had is counted anew. */
async function forgetPeak(pid: number): Promise<void> {
  await writeFile(join('/proc', String(pid), 'clear_refs'), '5');
}
