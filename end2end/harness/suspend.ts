// Programs that stand still for a while, as all do while a machine sleeps.

import { readFile } from 'node:fs/promises';

/** Stops programs, and lets them go on after `meanwhile`, however that ends. */
export async function suspended(programs: number[], meanwhile: () => Promise<void>): Promise<void> {
  for (const program of programs) process.kill(program, 'SIGSTOP');
  try {
    await meanwhile();
  } finally {
    for (const program of programs) process.kill(program, 'SIGCONT');
  }
}

/** The PC/SC service that `with-pcscd` has started. */
export async function pcscd(): Promise<number> {
  return Number.parseInt(await readFile('/run/pcscd/pcscd.pid', 'utf8'), 10);
}
