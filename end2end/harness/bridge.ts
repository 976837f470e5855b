// The card bridge, and a client of it that asks as the service's pages do.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import WebSocket from 'ws';

import { RunningProgram } from './process.ts';
import { programs } from './programs.ts';
import { until } from './until.ts';

export interface BridgeOptions {
  folder: string;
  port: number;
  /** The origin whose pages may use it. */
  origin: string;
  serviceKeys: string[];
  /** Cards inside the bridge in place of a reader. */
  virtualCards?: string;
  /** What is logged. */
  logFilter?: string;
}

/** The PC/SC service that a bridge finds: that of the tests, one that has no reader, or none. */
export type SmartcardService = 'shared' | 'without reader' | 'stopped';

const WITHOUT_READER = fileURLToPath(new URL('without-reader', import.meta.url));

/** How many readers there are, and how many hold a card. */
export interface Readers {
  readers: number;
  cards: number;
}

export class CardBridge {
  #running: RunningProgram | undefined;

  constructor(readonly options: BridgeOptions) {}

  get url(): string {
    return `ws://127.0.0.1:${this.options.port}/`;
  }

  get log(): string {
    return join(this.options.folder, 'card-bridge.log');
  }

  /** Its configuration, once it was started. */
  get configuration(): string {
    return join(this.options.folder, 'card-bridge.toml');
  }

  get isRunning(): boolean {
    return this.#running?.isRunning ?? false;
  }

  get pid(): number {
    if (!this.#running) throw new Error('the card bridge was not started');
    return this.#running.pid;
  }

  /** Writes the configuration, and gives the command that starts the bridge by it, with what it needs of the environment. */
  async command(): Promise<{ command: string[]; env: NodeJS.ProcessEnv }> {
    const { folder, port, origin, serviceKeys, virtualCards, logFilter } = this.options;
    await mkdir(folder, { recursive: true });
    const keys = serviceKeys.map((key) => JSON.stringify(key)).join(', ');
    await writeFile(this.configuration, `port = ${port}\n[[origin]]\nurl = "${origin}"\nservice_keys = [${keys}]\n`);
    const program = virtualCards === undefined ? programs.cardBridge() : programs.cardBridgeWithVirtualCards();
    const args = ['--config', this.configuration, '--no-tray'];
    if (virtualCards !== undefined) args.push('--virtual-cards', virtualCards);
    const env: NodeJS.ProcessEnv = { XDG_STATE_HOME: join(folder, 'state') };
    if (logFilter !== undefined) env['CARD_BRIDGE_LOG'] = logFilter;
    return { command: [program, ...args], env };
  }

  async start(smartcardService: SmartcardService = 'shared'): Promise<void> {
    const { command, env } = await this.command();
    if (smartcardService === 'stopped') env['PCSCLITE_CSOCK_NAME'] = join(this.options.folder, 'nobody-listens-here');
    if (smartcardService === 'without reader') command.unshift(WITHOUT_READER);
    const started = RunningProgram.start('card-bridge', command, this.log, env);
    this.#running = started;
    await started.ready(() => this.look());
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
  }

  async kill(): Promise<void> {
    await this.#running?.kill();
  }

  async abort(): Promise<void> {
    await this.#running?.abort();
  }

  /** What the bridge says of the readers when a page connects. */
  async look(): Promise<Readers> {
    const socket = new WebSocket(this.url, 'card-bridge.v1', { origin: this.options.origin });
    try {
      const hello = await new Promise<string>((resolve, reject) => {
        socket.once('message', (message) => resolve(message.toString()));
        socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
        socket.once('error', reject);
      });
      const readers: { card: string }[] = JSON.parse(hello).readers.readers ?? [];
      return { readers: readers.length, cards: readers.filter(({ card }) => card === 'present').length };
    } finally {
      socket.terminate();
    }
  }

  /** Waits until the bridge has seen that so many cards are in the readers. */
  async sees(cards: number): Promise<void> {
    await until(`the bridge sees ${cards} cards`, async () => (await this.look()).cards === cards);
  }
}
