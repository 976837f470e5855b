// The import of people and cards into an empty SQLite database, beside nothing else: how fast, and in how much memory.

import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../harness/process.ts';
import { programs } from '../harness/programs.ts';
import { pause } from '../harness/until.ts';
import { atLeast, type Measurement, measured } from './measure.ts';
import { peakMemory } from './processes.ts';
import { writeFiles } from './rows.ts';

const CARDS = 100_000;
const BOUND_ROWS = 20_000;

export async function measureImport(folder: string): Promise<Measurement[]> {
  await mkdir(folder, { recursive: true });
  const env = {
    SERVICE_CENTRE_DATA: join(folder, 'data'),
    SERVICE_CENTRE_MAIL__HOST: 'localhost',
    SERVICE_CENTRE_MAIL__FROM: 'no-reply@example.org',
  };
  const recipient = (await run(programs.serviceCentre(), ['import-key'], env)).trim();
  const { people, cards } = await writeFiles(folder, CARDS, recipient);

  const began = performance.now();
  const child = spawn(programs.serviceCentre(), ['import', people, cards], { env: { ...process.env, ...env }, stdio: 'ignore' });
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
