// Debian's AusweisApp2, measured beside the bridge: it stands between websites and a card reader too. Headless, as it is
// when another program brings its window.

import { access, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { freePort } from '../harness/ports.ts';
import { pause } from '../harness/until.ts';
import { median } from './measure.ts';
import { residentMemory, startListening } from './processes.ts';

const PROGRAM = 'AusweisApp2';

export interface AusweisApp {
  /** Milliseconds from its start until it took a connection, the median of several. */
  start: number;
  /** Bytes of memory when nobody asks. */
  memory: number;
}

/** Measures it, where it is installed, after so many starts and so many milliseconds of rest. */
export async function measureAusweisApp(folder: string, starts: number, rest: number): Promise<AusweisApp | undefined> {
  const program = await installed();
  if (program === undefined) return undefined;
  const home = join(folder, 'ausweisapp');
  await mkdir(home, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const env = { HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: home, QT_QPA_PLATFORM: 'offscreen' };
  const start = () =>
    startListening([program, '--ui', 'websocket', '--port', String(port), '--no-logfile', '--no-proxy'], port, env);
  const took: number[] = [];
  for (let times = 0; times < starts; times += 1) {
    const running = await start();
    took.push(running.took);
    await running.end();
  }
  const running = await start();
  try {
    await pause(rest);
    return { start: median(took), memory: await residentMemory(running.pid) };
  } finally {
    await running.end();
  }
}

async function installed(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, PROGRAM);
    if (await access(program).then(() => true, () => false)) return program;
  }
  return undefined;
}
