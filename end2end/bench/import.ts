// The import of people and cards into an empty SQLite database, beside nothing else: how fast, and in how much memory.

import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../harness/process.ts';
import { programs } from '../harness/programs.ts';
import { pause } from '../harness/until.ts';
import { atLeast, type Measurement, measured } from './measure.ts';

const CARDS = 100_000;
const BOUND_ROWS = 20_000;

export async function measureImport(folder: string): Promise<Measurement[]> {
  await mkdir(folder, { recursive: true });
  const env = {
    SERVICE_CENTRE_DATA: join(folder, 'data'),
    SERVICE_CENTRE_MAIL__HOST: 'localhost',
    SERVICE_CENTRE_MAIL__FROM: 'no-reply@example.org',
  };
  const [people, cards] = [join(folder, 'people.csv'), join(folder, 'cards.csv')];
  await writeRows(people, 'user_number,name,email', person);
  await writeRows(cards, 'guid,user_number,authentication,card_authentication,unlock_key', card);
  const recipient = (await run(programs.serviceCentre(), ['import-key'], env)).trim();
  await run('age', ['-r', recipient, '-o', `${cards}.age`, cards]);

  const began = performance.now();
  const child = spawn(programs.serviceCentre(), ['import', people, `${cards}.age`], { env: { ...process.env, ...env }, stdio: 'ignore' });
  let memory = 0;
  let code: number | null | undefined;
  child.once('close', (ended) => (code = ended));
  while (code === undefined) {
    memory = Math.max(memory, await peakMemory(child.pid));
    await pause(20);
  }
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`the import ended with ${code}`);
  const rows = 2 * CARDS;
  return [
    atLeast(`import of ${rows} rows, half of them cards`, rows / seconds, 'a second', BOUND_ROWS),
    measured('import: the most memory', memory / 1e6, 'MB'),
  ];
}

function person(number: number): string {
  return `${userNumber(number)},First Last ${number},person.${number}@nhs.net`;
}

function card(number: number): string {
  const random = createHash('sha256').update(String(number)).digest('hex');
  return [random.slice(0, 32), userNumber(number), publicKey(), publicKey(), random.slice(32, 48)].join(',');
}

function userNumber(number: number): string {
  return `5${String(number).padStart(11, '0')}`;
}

function publicKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

async function writeRows(file: string, header: string, row: (number: number) => string): Promise<void> {
  const out = createWriteStream(file);
  out.write(`${header}\n`);
  for (let number = 0; number < CARDS; number += 1) {
    if (!out.write(`${row(number)}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

/** The most bytes that a program has held; 0 when it has ended. */
async function peakMemory(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
