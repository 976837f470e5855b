// A cardholder with a page open: an unlock step by step as the pages do it, without a browser.

import type { CardBridge } from './bridge.ts';
import type { IssuedCard } from './cards.ts';
import {
  BridgeConnection,
  CardFault,
  type CardProof,
  type CardPurpose,
  Pages,
  type Sealed,
  ServiceFault,
} from './client.ts';
import { type Mailbox, codeIn } from './mailbox.ts';
import type { ServiceCentre } from './service.ts';
import { pause, until } from './until.ts';

/** What a page speaks to, and where its cardholder reads mails. */
export interface Surroundings {
  service: ServiceCentre;
  bridge: CardBridge;
  mailbox: Mailbox;
}

/** What the service says of an unlock. */
export type UnlockPage =
  | 'NotBegun'
  | 'Passcode'
  | 'PasscodeAgain'
  | 'Completed'
  | { Questions: { asked: { id: number }[] } }
  | { Code: object }
  | { Ended: 'Stopped' | 'Superseded' | 'LockedOut' | 'CodeTriesUsedUp' | 'UnlockKeyRefused' };

/** Self-service has ended: only the RA can help. */
export class DeadEnd extends Error {}

/** A message between page and bridge, as its page sees it. */
export type BridgeMessage = 'hello' | `prove_card ${CardPurpose}` | 'reset_passcode';

/** Is told of each message between page and bridge: before it is sent, and when its reply has come. */
export type Listener = (message: BridgeMessage, when: 'before' | 'after') => Promise<void>;

/** Somebody who wonders where a code stays asks for another after so many milliseconds. */
const PATIENCE = 3_000;

export class Cardholder {
  /** What the service released to this page, sealed, in its order. */
  readonly released: Sealed[] = [];
  readonly #pages: Pages;
  #connection: BridgeConnection | undefined;
  #unreported: CardProof | undefined;
  #written: string | undefined;
  #mailsBefore = 0;
  #entered = new Set<string>();

  constructor(
    readonly around: Surroundings,
    readonly card: IssuedCard,
    readonly listener: Listener = async () => undefined,
  ) {
    this.#pages = new Pages(around.service.origin);
  }

  /**
   * Takes an unlock from wherever it is to its end, beginning one where there is none. Gives the passcode that the card
   * has then: one that was chosen before, where only the report was missing.
   */
  async unlock(passcode: string): Promise<string> {
    for (;;) {
      if (this.#unreported) await this.report();
      const page = await this.view();
      if (page === 'Completed') return this.#written ?? passcode;
      if (page === 'Passcode' || page === 'PasscodeAgain') await this.writeCard(passcode);
      else await this.#step(page);
    }
  }

  /** Takes an unlock to where the passcode is chosen. */
  async toPasscode(): Promise<void> {
    for (;;) {
      const page = await this.view();
      if (page === 'Passcode' || page === 'PasscodeAgain') return;
      if (page === 'Completed') throw new Error('the unlock is completed');
      await this.#step(page);
    }
  }

  async #step(page: Exclude<UnlockPage, 'Passcode' | 'PasscodeAgain' | 'Completed'>): Promise<void> {
    if (page === 'NotBegun') await this.begin();
    else if ('Questions' in page) await this.answer(page.Questions.asked);
    else if ('Code' in page) await this.enterCode();
    else if (page.Ended === 'LockedOut' || page.Ended === 'UnlockKeyRefused') throw new DeadEnd(page.Ended);
    else await this.begin();
  }

  async view(): Promise<UnlockPage> {
    return this.#pages.call('unlock/view');
  }

  /** Presses Start: the card proves itself. */
  async begin(): Promise<void> {
    await this.#connected();
    const proof = await this.#prove('unlock', await this.#pages.call('unlock/start'));
    const begun = await this.#pages.call<'Flow' | { DeadEnd: object }>('unlock/identify', { proof });
    if (begun !== 'Flow') throw new DeadEnd(JSON.stringify(begun));
  }

  /** Answers the questions rightly. */
  async answer(asked: { id: number }[]): Promise<void> {
    const answers = asked.map(({ id }) => ({
      question: id,
      answer: this.card.registered?.answers.find(({ question }) => question === id)?.answer,
    }));
    const proof = await this.#attempt();
    this.#mailsBefore = this.around.mailbox.mails.length;
    const outcome = await this.#pages.call('unlock/answer', { proof, answers });
    if (outcome !== 'Right') throw new Error(`answered: ${JSON.stringify(outcome)}`);
  }

  /** Enters the code that came by mail; where none comes, asks for another. */
  async enterCode(): Promise<void> {
    const code = (await this.#code(PATIENCE)) ?? (await this.#anotherCode());
    const outcome = await this.#pages.call<string | object>('unlock/code', { proof: await this.#attempt(), code });
    this.#entered.add(code);
    // A mail that was late is of an earlier unlock: the next one is tried.
    const wrong = typeof outcome === 'object' && 'Wrong' in outcome;
    if (outcome !== 'Right' && !wrong) throw new Error(`entered a code: ${JSON.stringify(outcome)}`);
  }

  /** Chooses a passcode: the keys are released, the card is written, and the service hears of it. */
  async writeCard(passcode: string): Promise<void> {
    this.#unreported = await this.reset(passcode, await this.release());
    this.#written = passcode;
    await this.report();
  }

  /** Has the unlock keys released. */
  async release(): Promise<Sealed> {
    await this.#connected();
    const challenge = await this.#pages.call<string>('unlock/challenge', { purpose: 'Release' });
    const keys = await this.#pages.call<Sealed>('unlock/release', { proof: await this.#prove('release', challenge) });
    this.released.push(keys);
    return keys;
  }

  /** Has the card written, and gives the completion proof. */
  async reset(passcode: string, keys: Sealed): Promise<CardProof> {
    const connection = await this.#connected();
    try {
      return await this.#message('reset_passcode', () => connection.resetPasscode(passcode, keys));
    } catch (fault) {
      if (!(fault instanceof CardFault) || fault.failure.kind !== 'unlock_key_refused') throw fault;
      const end = await this.#pages.call('unlock/refused', { proof: await this.#attempt() });
      throw new DeadEnd(JSON.stringify(end));
    }
  }

  /** Hands a completion proof in: that of the card just written, where no other is given. */
  async report(proof = this.#unreported): Promise<void> {
    try {
      await this.#pages.call('unlock/complete', { proof });
      this.#unreported = undefined;
    } catch (fault) {
      // Refused, so that handing it in again is of no use.
      if (fault instanceof ServiceFault) this.#unreported = undefined;
      throw fault;
    }
  }

  /** How long the requests to the bridge took, in milliseconds. */
  get took(): number[] {
    return this.#connection?.took ?? [];
  }

  /** Closes the page, whatever it is doing. */
  close(): void {
    this.#pages.close();
    this.#connection?.close();
  }

  async #connected(): Promise<BridgeConnection> {
    const { bridge, service } = this.around;
    if (this.#connection?.isOpen) return this.#connection;
    this.#connection = await this.#message('hello', () => BridgeConnection.open(bridge.url, service.origin));
    return this.#connection;
  }

  async #attempt(): Promise<CardProof> {
    await this.#connected();
    return this.#prove('attempt', await this.#pages.call('unlock/challenge', { purpose: 'Attempt' }));
  }

  /** Where another page is still using the card, its cardholder tries again a moment later. */
  async #prove(purpose: CardPurpose, challenge: string): Promise<CardProof> {
    const connection = await this.#connected();
    return this.#message(`prove_card ${purpose}`, () =>
      until('the bridge is not busy', async () => {
        try {
          return await connection.proveCard(purpose, challenge);
        } catch (fault) {
          if (fault instanceof CardFault && fault.failure.kind === 'busy') return undefined;
          throw fault;
        }
      }),
    );
  }

  async #message<T>(message: BridgeMessage, exchange: () => Promise<T>): Promise<T> {
    await this.listener(message, 'before');
    const reply = await exchange();
    await this.listener(message, 'after');
    return reply;
  }

  /** The code of the latest mail since the answers that was not entered yet. */
  async #code(patience: number): Promise<string | undefined> {
    const end = Date.now() + patience;
    for (;;) {
      const mails = this.around.mailbox.mails.slice(this.#mailsBefore);
      const codes = mails.filter(({ subject }) => subject === 'Your Smartcard Unlock Code').map(codeIn);
      const code = codes.findLast((code) => !this.#entered.has(code));
      if (code !== undefined || Date.now() > end) return code;
      await pause(20);
    }
  }

  async #anotherCode(): Promise<string> {
    const outcome = await this.#pages.call('unlock/resend', { proof: await this.#attempt() });
    if (outcome !== 'Sent') throw new Error(`asked for another code: ${JSON.stringify(outcome)}`);
    const code = await this.#code(10_000);
    if (code === undefined) throw new Error('no code comes');
    return code;
  }
}
