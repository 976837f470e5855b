// A world in which unlocks are cut: how each harm is done, and mended as a person would.

import { Cardholder } from '../harness/cardholder.ts';
import type { Executed, IssuedCard, Mishap } from '../harness/cards.ts';
import type { SmartcardService } from '../harness/smartcard-service.ts';
import { until } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import type { Cut, Harm } from './cut.ts';

/** How long a card may take to come to the point of a cut. */
const REACHED_WITHIN = 30_000;

export class Stage {
  #pages: Cardholder[] = [];
  #armed: Cut | undefined;
  #messages = 0;

  constructor(
    readonly world: World,
    readonly smartcards: SmartcardService,
    readonly card: IssuedCard,
  ) {}

  /** The page that the cardholder has opened last. */
  get page(): Cardholder {
    return this.#pages.at(-1) ?? this.openPage();
  }

  /** Opens a new page, as in another browser: it has none of the cookies. */
  openPage(): Cardholder {
    const page = new Cardholder(this.world, this.card, async (message, when) => {
      const cut = this.#armed;
      if (cut?.point.at !== 'message' || cut.point.message !== message || cut.point.when !== when) return;
      this.#messages += 1;
      if (this.#messages < cut.point.nth) return;
      this.#armed = undefined;
      await this.#harm(cut.harm);
    });
    this.#pages.push(page);
    return page;
  }

  closePages(): void {
    for (const page of this.#pages) page.close();
    this.#pages = [];
  }

  /** What the card has executed so far. */
  executed(): Promise<Executed[]> {
    return this.world.reader.executed();
  }

  /** Puts the card in, locked by wrong passcodes. */
  async insertLocked(cut?: Cut): Promise<void> {
    await this.world.reader.remove();
    await this.world.bridge.sees(0);
    await this.world.reader.lock(this.card.card);
    await this.world.insert(this.card.card, mishap(cut));
  }

  /**
   * Takes the unlock on with the page that is open, and cuts it on the way. The card was put in for this cut.
   * Says whether the point of the cut was reached.
   */
  async cut(cut: Cut, passcode: string): Promise<'cut' | 'not reached'> {
    const { point } = cut;
    this.#armed = cut;
    this.#messages = 0;
    if (point.at === 'request') {
      const { endpoint, nth, when } = point;
      const happens = async () => {
        this.#armed = undefined;
        await this.#harm(cut.harm);
      };
      this.world.proxy?.lose({ endpoint, nth, point: when, happens });
    }
    let end: 'unlocked' | { fault: unknown } | undefined;
    const page = this.page.unlock(passcode).then(
      () => (end = 'unlocked'),
      (fault: unknown) => (end = { fault }),
    );
    if (point.at === 'apdu') {
      const { reader } = this.world;
      await until('the card comes to the point of the cut', () => end ?? reader.isWaiting, REACHED_WITHIN);
      if (reader.isWaiting) {
        this.#armed = undefined;
        await this.#harm(cut.harm);
      }
    }
    await page;
    this.world.proxy?.loseNothing();
    if (this.#armed === undefined) {
      await this.#mend(cut.harm);
      return 'cut';
    }
    this.#armed = undefined;
    if (end !== undefined && end !== 'unlocked') throw end.fault;
    return 'not reached';
  }

  async #harm(harm: Harm): Promise<void> {
    const { reader, bridge, service } = this.world;
    switch (harm) {
      case 'card pulled':
        return reader.remove();
      case 'reader unplugged':
        await this.smartcards.unplug();
        return reader.remove();
      case 'pcscd killed':
        await this.smartcards.kill();
        return reader.remove();
      case 'bridge killed':
        await bridge.kill();
        return reader.goOn();
      case 'server killed':
        await service.kill();
        return reader.goOn();
      case 'page closed':
        this.page.close();
        return reader.goOn();
      case 'connection cut':
    }
  }

  /** Puts right what the harm has done, and nothing else. */
  async #mend(harm: Harm): Promise<void> {
    const { bridge, service } = this.world;
    switch (harm) {
      case 'card pulled':
        return bridge.sees(0);
      case 'reader unplugged':
        await bridge.sees(0);
        return this.smartcards.plugIn();
      case 'pcscd killed':
        await until('the bridge sees no service', async () => (await bridge.look()).readers === 0);
        return this.smartcards.start();
      case 'bridge killed':
        return bridge.start();
      case 'server killed':
        return service.start();
      case 'page closed':
        this.openPage();
        return;
      case 'connection cut':
        return;
    }
  }

  /** Puts the card in again for the next cut, or for none. A card that is in stays in where none needs its help. */
  async insert(cut?: Cut): Promise<void> {
    if (mishap(cut) || !this.world.reader.isIn) {
      await this.world.reader.remove();
      await this.world.bridge.sees(0);
      await this.world.insert(this.card.card, mishap(cut));
    }
    await this.world.bridge.sees(1);
  }

}

/** How a card is put in that takes part in a cut: it waits at its point. */
function mishap(cut?: Cut): Mishap | undefined {
  if (cut?.point.at !== 'apdu') return undefined;
  const { nth, instruction, when } = cut.point;
  return { fault: 'wait', when, nth, instruction };
}
