// The service centre, with a data folder and a configuration of its own.

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

import { HOST } from './https.ts';
import { RunningProgram, run } from './process.ts';
import { programs } from './programs.ts';

/** What of the section `policy` a test may want otherwise. */
export interface Policy {
  profile?: 'classic' | 'code-only' | 'strict';
  code_minutes?: number;
  resend_seconds?: number;
  codes_an_hour?: number;
  unlocks_an_hour?: number;
  questions_asked?: number;
  session_idle_minutes?: number;
}

export interface ServiceOptions {
  folder: string;
  /** The data of another server, which has made it. */
  dataOf?: ServiceCentre;
  /** Where browsers find it. */
  port: number;
  /** Where it listens, if something stands between. */
  listenPort?: number;
  bridgePort: number;
  /** The port of the mail server; without one mails stay in memory, which only a demonstration may. */
  mailPort?: number;
  policy?: Policy;
  /** Where the certificates of the cards come from that are issued here. */
  certificates?: 'own' | 'requested';
  /** It is behind a website with TLS, at the port of browsers. */
  website?: boolean;
  /** A PostgreSQL database; without one the database is in the data folder. */
  databaseUrl?: string;
  /** Makes it a demonstration of the cards of this manifest. */
  demonstrationOf?: string;
  /** What is logged. */
  logFilter?: string;
  /** Where operators find it. */
  adminPort?: number;
  /** How often an address may post: all of a load come from one. */
  posts?: { aSecond: number; atOnce: number };
  /** The only processor that it may use. */
  processor?: number;
}

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

export class ServiceCentre {
  #running: RunningProgram | undefined;

  constructor(readonly options: ServiceOptions) {}

  /** As browsers write it. */
  get origin(): string {
    return this.options.website ? `https://${HOST}:${this.options.port}` : `http://localhost:${this.options.port}`;
  }

  /** Database and secrets. */
  get data(): string {
    return this.options.dataOf?.data ?? join(this.options.folder, 'data');
  }

  get log(): string {
    return join(this.options.folder, 'service-centre.log');
  }

  get isRunning(): boolean {
    return this.#running?.isRunning ?? false;
  }

  get pid(): number {
    if (!this.#running) throw new Error('the service centre was not started');
    return this.#running.pid;
  }

  async configure(): Promise<void> {
    await mkdir(this.data, { recursive: true });
    await writeFile(this.#configuration, this.#toml());
    const { databaseUrl, website, dataOf } = this.options;
    if (!dataOf && (databaseUrl !== undefined || website)) await this.#makeSecrets();
  }

  get #secrets(): string {
    return join(this.data, 'secrets');
  }

  /**
   * On PostgreSQL the service makes none itself: nobody knows which other server has used the database. Nor does it for
   * a website.
   */
  async #makeSecrets(): Promise<void> {
    const folder = this.#secrets;
    await mkdir(folder, { mode: 0o700 });
    for (const name of ['vault-key-1', 'pepper-1', 'challenge-key', 'trail-key', 'service-key']) {
      await writeFile(join(folder, name), randomBytes(32).toString('hex'), { mode: 0o600 });
    }
  }

  /** Takes the cards of a manifest in, with the registrations that it tells of. */
  async enrol(manifest: string): Promise<void> {
    // Whatever it is to browsers: the command wants a service of this machine only.
    const env = { SERVICE_CENTRE_PUBLIC_URL: `http://localhost:${this.options.port}` };
    await run(programs.serviceCentre(), ['--config', this.#configuration, 'demo', '--manifest', manifest], env);
  }

  /** Runs a command of the program to its end and gives what it printed. */
  async command(...args: string[]): Promise<string> {
    return run(programs.serviceCentre(), ['--config', this.#configuration, ...args]);
  }

  /** The public service keys, for the configuration of bridges. */
  async serviceKeys(): Promise<string[]> {
    const keys = /^service_keys = (\[.*\])$/m.exec(await this.command('bridge-config'))?.[1];
    return JSON.parse(keys ?? '[]') as string[];
  }

  /** One of the figures that it tells operators, by its name without what all begin with; 0 where it has nothing to tell yet. */
  async figure(name: string): Promise<number> {
    const figures = await (await fetch(`http://127.0.0.1:${this.options.adminPort}/metrics`)).text();
    return Number(new RegExp(`^service_centre_${name} (\\S+)$`, 'm').exec(figures)?.[1] ?? 0);
  }

  /** With what the program is called to serve. */
  get serving(): string[] {
    return ['--config', this.#configuration, '--log', this.options.logFilter ?? 'info,sqlx=warn', 'serve'];
  }

  async start(): Promise<void> {
    const { processor } = this.options;
    const pinned = processor === undefined ? [] : ['taskset', '--cpu-list', String(processor)];
    const started = RunningProgram.start('service-centre', [...pinned, programs.serviceCentre(), ...this.serving], this.log);
    this.#running = started;
    await started.ready(() => this.#answers());
  }

  /** Whether it answers, by the name that it is called by. */
  async #answers(): Promise<boolean> {
    const { port, listenPort = port } = this.options;
    const headers = { host: new URL(this.origin).host };
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: listenPort, path: '/', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      asked.once('error', reject);
      asked.end();
    });
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

  get #configuration(): string {
    return join(this.options.folder, 'service-centre.toml');
  }

  #toml(): string {
    const { port, listenPort = port, bridgePort, mailPort, policy = {}, databaseUrl, demonstrationOf } = this.options;
    const { certificates = 'own', adminPort, posts } = this.options;
    const lines = [
      `public_url = "${this.origin}"`,
      `listen = "127.0.0.1:${listenPort}"`,
      `data = ${JSON.stringify(this.data)}`,
      `[bridge]`,
      `port = ${bridgePort}`,
      `[policy]`,
      ...Object.entries(policy).map(([name, value]) => `${name} = ${JSON.stringify(value)}`),
      `[issuing]`,
      `certificates = "${certificates}"`,
      // Whether the RA is open is the same at whatever time a test runs.
      '[ra.hours]',
      ...DAYS.map((day) => `${day} = "00:00-24:00"`),
    ];
    if (adminPort !== undefined) lines.push('[admin]', `listen = "127.0.0.1:${adminPort}"`);
    const clients = posts ? [`posts_a_second = ${posts.aSecond}`, `posts_at_once = ${posts.atOnce}`] : [];
    if (this.options.website) clients.push('trusted_proxies = ["127.0.0.1/32"]');
    if (clients.length > 0) lines.push('[clients]', ...clients);
    if (mailPort !== undefined) {
      lines.push('[mail]', 'host = "127.0.0.1"', `port = ${mailPort}`, 'security = "none"');
      lines.push('from = "Smartcard Service Centre <no-reply@service.test>"');
    }
    if (this.options.website) {
      const file = (name: string) => JSON.stringify(join(this.#secrets, name));
      lines.push('[secrets]', `vault_key_files = { 1 = ${file('vault-key-1')} }`);
      lines.push(`pepper_files = { 1 = ${file('pepper-1')} }`, `challenge_key_file = ${file('challenge-key')}`);
      lines.push(`trail_key_file = ${file('trail-key')}`, `service_key_file = ${file('service-key')}`);
      lines.push('[ra]', 'telephone = "0123 456789"', `email = "ra@${HOST}"`);
    }
    if (databaseUrl !== undefined) lines.push('[database]', `url = ${JSON.stringify(databaseUrl)}`);
    if (demonstrationOf !== undefined) lines.push('[demonstration]', `manifest = ${JSON.stringify(demonstrationOf)}`);
    return `${lines.join('\n')}\n`;
  }
}
