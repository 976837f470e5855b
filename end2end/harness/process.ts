// Programs that run beside the tests, and end with them.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { promisify } from 'node:util';

import { until } from './until.ts';

/** How long a program may take to end by itself. */
const STOP_WITHIN = 20_000;

/** A command that may write core files as large as whoever starts it can allow, unless it forbids them itself. */
export function withCoreFiles(command: string[]): string[] {
  return ['sh', '-c', 'ulimit -S -c "$(ulimit -H -c)" && exec "$@"', 'sh', ...command];
}

export class RunningProgram {
  #exit: { code: number | null; signal: string | null } | undefined;

  private constructor(
    readonly name: string,
    readonly child: ChildProcess,
  ) {
    child.once('exit', (code, signal) => (this.#exit = { code, signal }));
  }

  /**
   * Starts a program; what it prints is added to the file `log`. It is killed when this process ends, however it ends.
   * Whoever started it would have its core files.
   */
  static start(name: string, command: string[], log: string, env: NodeJS.ProcessEnv = {}): RunningProgram {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...withCoreFiles(command)], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output = createWriteStream(log, { flags: 'a' });
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
    child.once('close', () => output.end());
    return new RunningProgram(name, child);
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  /** Waits until `look` says so, and no longer than the program runs. */
  async ready(look: () => unknown | Promise<unknown>, milliseconds = 60_000): Promise<void> {
    await until(`${this.name} is ready`, async () => {
      if (this.#exit) throw new Error(`${this.name} has ended: ${JSON.stringify(this.#exit)}`);
      try {
        return (await look()) ? true : undefined;
      } catch {
        return undefined;
      }
    }, milliseconds);
  }

  /** Asks the program to end, and waits. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends the program without asking. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends the program as a fault in it does: where core files are written, it leaves one. */
  async abort(): Promise<void> {
    await this.#end('SIGABRT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    this.child.kill(signal);
    try {
      await until(`${this.name} ends`, () => !this.isRunning, STOP_WITHIN);
    } catch (fault) {
      this.child.kill('SIGKILL');
      await until(`${this.name} ends`, () => !this.isRunning);
      throw fault;
    }
  }
}

/** Runs a program to its end and gives what it printed. */
export async function run(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { env: { ...process.env, ...env } });
  return stdout;
}
