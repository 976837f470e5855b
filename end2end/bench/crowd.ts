// People with cards in software who unlock them, many at once: the load generator, and what it is told to do.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type ChildProcess, spawn } from 'node:child_process';

import { run } from '../harness/process.ts';
import { programs } from '../harness/programs.ts';
import type { ServiceCentre } from '../harness/service.ts';

/** Of the answers to one server function or page, in milliseconds. */
export interface Summary {
  answered: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
  /** Those that said to come again later. */
  busy: number;
  busy_p99_ms: number;
  busy_max_ms: number;
}

/** What came of a round. */
export interface Outcome {
  begun: number;
  completed: number;
  registered: number;
  /** How often somebody has done all that is rarely done. */
  rarities: number;
  /** Who was told to come again later, and who of them not when. */
  busy: number;
  untold: number;
  failed: Record<string, number>;
  /** Completed while others were beginning, from the last of those that began together at first to the last of all. */
  a_second: number;
  functions: Record<string, Summary>;
  desk_failed: Record<string, number>;
  desk: Record<string, Summary>;
}

/** What a service is to let a crowd do that shares one address and unlocks again and again. */
export const FOR_A_CROWD = {
  policy: { resend_seconds: 0, codes_an_hour: 60, unlocks_an_hour: 1000 },
  posts: { aSecond: 1_000_000, atOnce: 1_000_000 },
  logFilter: 'warn',
};

/** So many unlocks under way all the time, or so many begun a second. */
export type Pace = { at_once: number } | { a_second: number };

export interface Also {
  /** An officer works beside them. */
  desk?: boolean;
  /** So many register a second. */
  newcomers?: number;
  /** So many do all the rest: change and end what they have registered, are helped at the desk, get another card. */
  rarities?: number;
  /** How many of the servers are asked. */
  servers?: number;
  /** How many connections everybody who unlocks has, and leaves open; without it they share some. */
  connections?: number;
}

/** How many files a crowd may have open, connections among them: more than twice what a server takes. */
const OPEN_FILES = 10_000;

export interface People {
  /** All of them registered; the first is an officer, the second a manager. */
  people: number;
  /** Who have not registered, besides. */
  newcomers?: number;
}

function counts({ people, newcomers = 0 }: People): string[] {
  return ['--people', String(people), '--newcomers', String(newcomers)];
}

export class Crowd {
  private constructor(
    readonly child: ChildProcess,
    readonly lines: AsyncIterator<string>,
  ) {}

  /** Has a service take them in. */
  static async takeIn(service: ServiceCentre, people: People): Promise<void> {
    const manifest = `${service.data}/crowd.json`;
    await writeFile(manifest, await run(programs.loadGenerator(), ['manifest', ...counts(people)]));
    await service.enrol(manifest);
    await service.command('grant-ra', '557000000000', '--role', 'ra-agent');
    await service.command('grant-ra', '557000000001', '--role', 'ra-manager');
  }

  /** Begins to take the mails of a service, before it is started. */
  static async start(
    people: People,
    service: ServiceCentre,
    ports: number[],
    mailPort: number,
    processor?: number,
  ): Promise<Crowd> {
    const [key = ''] = await service.serviceKeys();
    const args = ['serve', ...counts(people), '--origin', service.origin, `--service-key=${key}`];
    args.push('--mail-port', String(mailPort), ...ports.flatMap((port) => ['--server', `127.0.0.1:${port}`]));
    const pinned = processor === undefined ? [] : ['taskset', '--cpu-list', String(processor)];
    const files = ['prlimit', `--nofile=${OPEN_FILES}`];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...files, ...pinned, programs.loadGenerator(), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    return new Crowd(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
  }

  /** Has them unlock for so long. */
  async round(pace: Pace, seconds: number, also: Also = {}): Promise<Outcome> {
    this.child.stdin?.write(`${JSON.stringify({ ...pace, seconds, ...also })}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the load generator has ended');
    return JSON.parse(value) as Outcome;
  }

  async end(): Promise<void> {
    this.child.stdin?.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }
}

/** Hashes a second of one processor with Argon2id alone. */
export async function argon2Alone(processor: number, seconds: number): Promise<number> {
  const args = ['--cpu-list', String(processor), programs.loadGenerator(), 'argon2', '--seconds', String(seconds)];
  return Number(await run('taskset', args));
}
