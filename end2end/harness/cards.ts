// Cards in software, and the virtual reader they are put into.

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type CardOrder, orders, toToml } from './people.ts';
import { RunningProgram, run } from './process.ts';
import { programs, slotPort } from './programs.ts';
import { until } from './until.ts';

/** A card as the manifest tells of it. */
export interface IssuedCard extends CardOrder {
  guid: string;
  /** 16 hexadecimal digits. */
  unlockKey: string;
}

/** A folder of cards with their manifest. */
export class CardBox {
  private constructor(
    readonly folder: string,
    readonly cards: IssuedCard[],
  ) {}

  /** Issues cards whose secrets are new. */
  static async make(folder: string): Promise<CardBox> {
    const list = orders();
    const toml = `${folder}.toml`;
    await writeFile(toml, toToml(list));
    await run(programs.virtualCard(), ['make', '--out', folder, '--cards', toml]);
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    const cards = list.map((order, at) => {
      const { guid, unlock_key: unlockKey } = manifest.cards[at];
      return { ...order, guid, unlockKey };
    });
    return new CardBox(folder, cards);
  }

  /** The same cards once more, as they are now. */
  async copy(folder: string): Promise<CardBox> {
    await cp(this.folder, folder, { recursive: true });
    return new CardBox(folder, this.cards);
  }

  get manifest(): string {
    return join(this.folder, 'manifest.json');
  }

  card(name: string): IssuedCard {
    const card = this.cards.find((card) => card.card === name);
    if (!card) throw new Error(`no card «${name}»`);
    return card;
  }
}

/**
 * What goes wrong with a card, and when: at the nth APDU of an instruction, or of all, before or after it is executed.
 * A card that waits goes on when it is told to.
 */
export interface Mishap {
  fault: 'pull' | 'hang' | 'wait';
  when: 'before' | 'after';
  instruction?: string;
  nth?: number;
}

/** How cards word refusals, and whether a passcode set by the unlock key gives that its tries back. */
export interface CardKind {
  dialect: 'piv-authenticator' | 'strict';
  unlockKeyTries: 'reset' | 'keep';
  /** Milliseconds that they take for each APDU, beside the time of the software. */
  delay?: number;
}

/** A command that a card has executed, and its status word, in hexadecimal digits. */
export interface Executed {
  instruction: string;
  parameters: string;
  status: string;
}

/** A slot of the virtual reader. */
export class Slot {
  #plugged: RunningProgram | undefined;
  #said = '';

  constructor(
    readonly box: CardBox,
    readonly slot: 'first' | 'second',
    readonly log: string,
    readonly kind: CardKind = { dialect: 'piv-authenticator', unlockKeyTries: 'reset' },
  ) {}

  /** Where cards in this slot write down what they have executed. */
  get journal(): string {
    return `${this.log}.${this.slot}.journal`;
  }

  /** All that cards in this slot have executed. */
  async executed(): Promise<Executed[]> {
    const lines = (await readFile(this.journal, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const [instruction = '', parameters = '', status = ''] = line.split(' ');
      return { instruction, parameters, status };
    });
  }

  /** Puts a card in, in place of any that is there. */
  async insert(name: string, mishap?: Mishap): Promise<void> {
    await this.remove();
    const args = ['plug', '--card', join(this.box.folder, name), '--port', String(slotPort(this.slot))];
    args.push('--dialect', this.kind.dialect, '--unlock-key-tries', this.kind.unlockKeyTries);
    if (this.kind.delay !== undefined) args.push('--delay', String(this.kind.delay));
    args.push('--journal', this.journal);
    if (mishap) {
      args.push('--fault', mishap.fault, '--when', mishap.when, '--nth', String(mishap.nth ?? 1));
      if (mishap.instruction !== undefined) args.push('--instruction', mishap.instruction);
    }
    const plugged = RunningProgram.start('virtual-card', [programs.virtualCard(), ...args], this.log);
    this.#said = '';
    plugged.child.stdout?.on('data', (text: Buffer) => (this.#said += text.toString()));
    this.#plugged = plugged;
    await plugged.ready(() => this.#said.includes('plugged'));
  }

  /** Locks a card that is in no reader. */
  async lock(name: string): Promise<void> {
    await run(programs.virtualCard(), ['lock', '--card', join(this.box.folder, name)]);
  }

  /** Whether a card is in the slot. */
  get isIn(): boolean {
    return this.#plugged?.isRunning ?? false;
  }

  /** Whether the card is there and waits, as its mishap says. */
  get isWaiting(): boolean {
    return (this.#plugged?.isRunning ?? false) && this.#said.includes('waiting');
  }

  /** Lets a card go on that waits. */
  goOn(): void {
    this.#plugged?.child.stdin?.write('\n');
  }

  /** Pulls the card, if there is one. */
  async remove(): Promise<void> {
    const plugged = this.#plugged;
    this.#plugged = undefined;
    await plugged?.kill();
  }

  /** Waits until a card that was to be pulled by a mishap is out. */
  async isPulled(): Promise<void> {
    await until('the card is pulled', () => !this.#plugged?.isRunning);
  }
}
