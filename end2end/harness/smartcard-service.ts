// The PC/SC service that `with-pcscd` has started, taken over: it can be killed and started again, and its reader
// unplugged.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { RunningProgram, run } from './process.ts';
import { slotPort } from './programs.ts';
import { until } from './until.ts';

const RUNNING = '/run/pcscd';
const VIRTUAL_READER = '/usr/lib/pcsc/drivers/serial/libifdvpcd.so';
const SOURCE = fileURLToPath(new URL('unpluggable-reader.c', import.meta.url));

export class SmartcardService {
  #running: RunningProgram | undefined;

  private constructor(readonly folder: string) {}

  /** Ends the service that runs in this mount namespace, and starts one whose reader can be unplugged. */
  static async takeOver(folder: string): Promise<SmartcardService> {
    await mkdir(join(folder, 'readers'), { recursive: true });
    const service = new SmartcardService(folder);
    const flags = (await run('pkg-config', ['--cflags', 'libpcsclite'])).trim().split(/\s+/);
    await run('cc', ['-shared', '-fPIC', ...flags, '-o', service.#driver, SOURCE, '-ldl']);
    const port = `0x${slotPort('first').toString(16).toUpperCase().padStart(4, '0')}`;
    const reader = [
      'FRIENDLYNAME "Virtual PCD"',
      `DEVICENAME /dev/null:${port}`,
      `LIBPATH ${service.#driver}`,
      `CHANNELID ${port}`,
    ];
    await writeFile(join(folder, 'readers', 'vpcd'), `${reader.join('\n')}\n`);
    const former = Number.parseInt(await readFile(join(RUNNING, 'pcscd.pid'), 'utf8'), 10);
    process.kill(former, 'SIGTERM');
    await until('the former pcscd ends', () => !isAlive(former));
    await service.start();
    return service;
  }

  async start(): Promise<void> {
    await rm(join(RUNNING, 'pcscd.comm'), { force: true });
    await rm(join(RUNNING, 'pcscd.pid'), { force: true });
    const command = ['pcscd', '--foreground', '--error', '--config', join(this.folder, 'readers')];
    const env = { REAL_DRIVER: VIRTUAL_READER, UNPLUGGED: this.#unplugged };
    const started = RunningProgram.start('pcscd', command, join(this.folder, 'pcscd.log'), env);
    this.#running = started;
    // The service makes its socket after its readers.
    await started.ready(() => readFile(join(RUNNING, 'pcscd.pid')).then(() => listens('first')));
  }

  async kill(): Promise<void> {
    await this.#running?.kill();
  }

  /** Unplugs the reader. The service notices at its next look or command. */
  async unplug(): Promise<void> {
    await writeFile(this.#unplugged, '');
  }

  /** Plugs it in again; a card that is put in then is seen. */
  async plugIn(): Promise<void> {
    await rm(this.#unplugged, { force: true });
  }

  get #driver(): string {
    return join(this.folder, 'unpluggable-reader.so');
  }

  get #unplugged(): string {
    return join(this.folder, 'unplugged');
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether somebody listens at a slot of the virtual reader. */
async function listens(slot: 'first' | 'second'): Promise<boolean> {
  const port = `:${slotPort(slot).toString(16).toUpperCase().padStart(4, '0')}`;
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((table) => readFile(table, 'utf8')));
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .some((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      return local.endsWith(port) && state === '0A';
    });
}
