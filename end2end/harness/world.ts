// Everything that one test needs, of its own and on free ports: cards, mail server, service centre, card bridge.

import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { CardBridge } from './bridge.ts';
import { type CardBox, type IssuedCard, type Mishap, Slot } from './cards.ts';
import { Mailbox } from './mailbox.ts';
import { lockByWrongPasscodes } from './piv-tool.ts';
import { freePort } from './ports.ts';
import { Schema } from './postgres.ts';
import { type Policy, ServiceCentre } from './service.ts';

export interface WorldOptions {
  policy?: Policy;
  /** A demonstration: what `make run` starts, with the mails in memory. */
  demonstration?: boolean;
  /** The cards inside the bridge, in place of a reader. */
  virtualCards?: boolean;
  /** What both programs log. */
  logFilter?: string;
  /** The service's database: a file in its folder, where nothing is said. */
  database?: 'sqlite' | 'postgres';
}

export class World {
  private constructor(
    readonly folder: string,
    readonly box: CardBox,
    readonly mailbox: Mailbox,
    readonly service: ServiceCentre,
    readonly bridge: CardBridge,
    /** The first slot of the reader. */
    readonly reader: Slot,
    /** The second slot: another reader, as far as programs can tell. */
    readonly secondReader: Slot,
    /** The service's schema on PostgreSQL, where its database is there. */
    readonly schema: Schema | undefined,
  ) {}

  /** Makes a world in a folder, its cards a copy of those in `cards`, and starts all of it. */
  static async start(folder: string, cards: CardBox, options: WorldOptions = {}): Promise<World> {
    await mkdir(folder, { recursive: true });
    const box = await cards.copy(join(folder, 'cards'));
    const [port, bridgePort, mailPort] = [await freePort(), await freePort(), await freePort()];
    const { policy, demonstration, virtualCards, logFilter, database } = options;
    const schema = database === 'postgres' ? await Schema.make() : undefined;
    const mailbox = new Mailbox(mailPort);
    const service = new ServiceCentre({
      folder,
      port,
      bridgePort,
      policy,
      logFilter,
      databaseUrl: schema?.url,
      ...(demonstration ? { demonstrationOf: box.manifest } : { mailPort }),
    });
    await mailbox.open();
    await service.configure();
    if (!demonstration) await service.enrol(box.manifest);
    const bridge = new CardBridge({
      folder,
      port: bridgePort,
      origin: service.origin,
      serviceKeys: await service.serviceKeys(),
      logFilter,
      ...(virtualCards ? { virtualCards: box.folder } : {}),
    });
    const log = join(folder, 'virtual-card.log');
    const world = new World(
      folder,
      box,
      mailbox,
      service,
      bridge,
      new Slot(box, 'first', log),
      new Slot(box, 'second', log),
      schema,
    );
    try {
      await Promise.all([service.start(), bridge.start()]);
    } catch (fault) {
      await world.end();
      throw fault;
    }
    return world;
  }

  /** Puts a card into the reader and waits until the bridge knows. */
  async insert(name: string, mishap?: Mishap): Promise<IssuedCard> {
    await this.reader.insert(name, mishap);
    if (this.bridge.isRunning) await this.bridge.sees(1);
    return this.box.card(name);
  }

  /** Pulls the card and waits until the bridge knows. */
  async pull(): Promise<void> {
    await this.reader.remove();
    await this.bridge.sees(0);
  }

  /** Puts a card into the reader and locks it, by another program. */
  async insertLocked(name: string): Promise<IssuedCard> {
    const card = await this.insert(name);
    await lockByWrongPasscodes(card.passcode);
    return card;
  }

  /** Copies the logs to another folder. */
  async keepLogs(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const log of [this.service.log, this.bridge.log, this.reader.log]) {
      await cp(log, join(folder, log.slice(this.folder.length + 1))).catch(() => undefined);
    }
  }

  /** Ends everything. */
  async end(): Promise<void> {
    await this.reader.remove();
    await this.secondReader.remove();
    const ended = await Promise.allSettled([this.service.stop(), this.bridge.stop()]);
    await this.mailbox.close();
    await this.schema?.drop();
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }
}
