// Everything that one test needs, of its own and on free ports: cards, mail server, service centre, card bridge.

import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { CardBridge } from './bridge.ts';
import { type CardBox, type CardKind, type IssuedCard, type Mishap, Slot } from './cards.ts';
import { Authority, Website } from './https.ts';
import { Mailbox } from './mailbox.ts';
import { lockByWrongPasscodes } from './piv-tool.ts';
import { freePort } from './ports.ts';
import { Schema } from './postgres.ts';
import { Proxy } from './proxy.ts';
import { type Policy, ServiceCentre } from './service.ts';

export interface WorldOptions {
  policy?: Policy;
  /** Where the certificates of the cards come from that are issued here. */
  certificates?: 'own' | 'requested';
  /** A demonstration: what `make run` starts, with the mails in memory. */
  demonstration?: boolean;
  /** The cards inside the bridge, in place of a reader. */
  virtualCards?: boolean;
  /** What both programs log. */
  logFilter?: string;
  /** The service tells its figures. */
  withFigures?: boolean;
  /** How the cards in the readers answer and count. */
  cardKind?: CardKind;
  /** Puts a proxy between browsers and service. */
  proxied?: boolean;
  /** The service is a public website with TLS. */
  website?: boolean;
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
    /** What stands between browsers and service, if anything. */
    readonly proxy: Proxy | undefined,
    /** The website in front of the service, where there is one. */
    readonly website: Website | undefined,
    /** The service's schema on PostgreSQL, where its database is there. */
    readonly schema: Schema | undefined,
  ) {}

  /** Makes a world in a folder, its cards a copy of those in `cards`, and starts all of it. */
  static async start(folder: string, cards: CardBox, options: WorldOptions = {}): Promise<World> {
    await mkdir(folder, { recursive: true });
    const box = await cards.copy(join(folder, 'cards'));
    const [port, bridgePort, mailPort] = [await freePort(), await freePort(), await freePort()];
    const { policy, certificates, demonstration, virtualCards, logFilter, cardKind, database } = options;
    const schema = database === 'postgres' ? await Schema.make() : undefined;
    const mailbox = new Mailbox(mailPort);
    const listenPort = options.proxied || options.website ? await freePort() : undefined;
    const proxy = options.proxied && listenPort ? await Proxy.start(port, listenPort) : undefined;
    const website =
      options.website && listenPort
        ? await Website.start(await Authority.make(join(folder, 'authority')), port, listenPort)
        : undefined;
    const service = new ServiceCentre({
      folder,
      port,
      listenPort,
      bridgePort,
      policy,
      certificates,
      logFilter,
      adminPort: options.withFigures ? await freePort() : undefined,
      website: options.website,
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
      new Slot(box, 'first', log, cardKind),
      new Slot(box, 'second', log, cardKind),
      proxy,
      website,
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
    for (const log of [this.service.log, this.bridge.log, this.reader.log, this.reader.journal]) {
      await cp(log, join(folder, log.slice(this.folder.length + 1))).catch(() => undefined);
    }
  }

  /** Ends everything. */
  async end(): Promise<void> {
    await this.reader.remove();
    await this.secondReader.remove();
    const ended = await Promise.allSettled([this.service.stop(), this.bridge.stop()]);
    await this.mailbox.close();
    await this.proxy?.stop();
    await this.website?.stop();
    await this.schema?.drop();
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }
}
