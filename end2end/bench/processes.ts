// What the system tells of a running program: its memory, its wake-ups, how long it took to listen.

import { spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { connect } from 'node:net';

import { pause } from '../harness/until.ts';

/** How long a program may take to listen, or to end when it is told to. */
const PATIENCE_MS = 20_000;

/** Bytes of memory that a program holds now. */
export async function residentMemory(pid: number): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (!kilobytes) throw new Error(`process ${pid} is not running`);
  return Number(kilobytes) * 1024;
}

/** The most bytes that a program has held; 0 when it has ended. */
export async function peakMemory(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** How often the threads of a program were given the processor, for each second of a while. */
export async function wakeUps(pid: number, seconds: number): Promise<number> {
  const before = await contextSwitches(pid);
  await pause(seconds * 1000);
  const after = await contextSwitches(pid);
  // A thread that has begun or ended meanwhile was given it at least once.
  const begun = [...after].map(([thread, count]) => count - (before.get(thread) ?? 0));
  const ended = [...before.keys()].filter((thread) => !after.has(thread)).length;
  return (begun.reduce((sum, count) => sum + count, 0) + ended) / seconds;
}

/** The context switches of each thread, of its own accord and otherwise. */
async function contextSwitches(pid: number): Promise<Map<string, number>> {
  const threads = await readdir(`/proc/${pid}/task`);
  const counts = threads.map(async (thread): Promise<[string, number]> => {
    const status = await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8').catch(() => '');
    const switches = [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s+(\d+)$/gm)];
    return [thread, switches.reduce((sum, [, count]) => sum + Number(count), 0)];
  });
  return new Map(await Promise.all(counts));
}

/** A program that listens. */
export interface Listening {
  pid: number;
  /** Milliseconds from its start until it took a connection. */
  took: number;
  /** Ends it, and waits until it has ended. */
  end: () => Promise<void>;
}

/** Starts a program and waits until it takes connections at a port of 127.0.0.1. What it prints is thrown away. */
export async function startListening(command: string[], port: number, env: NodeJS.ProcessEnv = {}): Promise<Listening> {
  const [file = '', ...args] = command;
  const began = performance.now();
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let fault: Error | undefined;
  child.once('error', (error) => (fault = error));
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(late);
  };
  for (;;) {
    if (await takesConnections(port)) break;
    const isOver = fault !== undefined || child.exitCode !== null || child.signalCode !== null;
    if (isOver || performance.now() - began > PATIENCE_MS) {
      await end();
      throw fault ?? new Error(`${file} does not listen at ${port}`);
    }
    await pause(1);
  }
  const took = performance.now() - began;
  if (child.pid === undefined) throw new Error(`${file} did not start`);
  return { pid: child.pid, took, end };
}

/** Whether somebody takes connections at a port of 127.0.0.1. */
export function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
