// Stages for cards of one kind, one after another: a fresh one where a trial has failed, and before mails get too many.

import { join } from 'node:path';

import type { CardBox, CardKind } from '../harness/cards.ts';
import type { SmartcardService } from '../harness/smartcard-service.ts';
import { World } from '../harness/world.ts';
import { Stage } from './stage.ts';

/** A trial sends three codes to one person, with some to spare; the service allows 60 an hour. */
const TRIALS_ON_A_STAGE = 15;
const POLICY = { resend_seconds: 0, codes_an_hour: 60, unlocks_an_hour: 1000 };

export class Stages {
  #stage: Stage | undefined;
  #made = 0;
  #tried = 0;

  constructor(
    readonly folder: string,
    readonly cards: CardBox,
    readonly smartcards: SmartcardService,
    readonly cardKind: CardKind,
  ) {}

  /** The stage for the next trial. */
  async next(): Promise<Stage> {
    this.#tried += 1;
    if (this.#stage && this.#tried <= TRIALS_ON_A_STAGE) return this.#stage;
    await this.checkTrail();
    await this.end();
    this.#tried = 1;
    this.#made += 1;
    const { dialect, unlockKeyTries } = this.cardKind;
    const folder = join(this.folder, `${dialect}-${unlockKeyTries}-${this.#made}`);
    const options = { proxied: true, policy: POLICY, cardKind: this.cardKind };
    const world = await World.start(folder, this.cards, options);
    const card = world.box.card('member');
    // From now on there is a journal of what it executes.
    await world.insert(card.card);
    this.#stage = new Stage(world, this.smartcards, card);
    return this.#stage;
  }

  /** The audit trail holds, whatever was cut. */
  async checkTrail(): Promise<void> {
    const said = await this.#stage?.world.service.command('audit', 'verify');
    if (said !== undefined && !said.includes('The audit trail holds')) throw new Error(said);
  }

  /** Gives up a stage on which a trial has failed, and keeps its logs in a folder. */
  async giveUp(logs: string): Promise<void> {
    await this.#stage?.world.keepLogs(logs);
    await this.end();
    await this.smartcards.kill();
    await this.smartcards.plugIn();
    await this.smartcards.start();
  }

  async end(): Promise<void> {
    const stage = this.#stage;
    this.#stage = undefined;
    stage?.closePages();
    await stage?.world.end();
  }
}
