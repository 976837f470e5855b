// A reader with keys, put between a page and the bridge: no real one is at hand, and the virtual reader has none. The page
// is told of keys; what is typed on them reaches the bridge as a page without such a reader would send it.

import type { Page } from '@playwright/test';

import type { CardBridge } from './bridge.ts';
import { sealPasscode } from './client.ts';
import { until } from './until.ts';

/** What can be typed on the keys. */
export type Keys = 'current' | 'current_and_new';

/** Why a passcode did not get to the card. */
export type NotEntered = 'timed_out' | 'cancelled' | 'differ' | 'wrong_length' | 'no_keypad';

/** A passcode that the reader asks for. */
export interface Entry {
  verb: string;
  /** The person types it. */
  type(passcode: string): void;
  /** The person does not. */
  fail(reason: NotEntered, kind?: 'not_entered' | 'not_confirmed'): void;
}

export class KeypadReader {
  readonly #asked: Entry[] = [];

  /** Gives every reader keys, as far as a page can tell. Before the page is opened. */
  static async between(page: Page, bridge: CardBridge, keys: Keys = 'current_and_new'): Promise<KeypadReader> {
    const reader = new KeypadReader();
    await page.routeWebSocket(bridge.url, (toPage) => {
      const toBridge = toPage.connectToServer();
      let connectionKey = '';
      toBridge.onMessage((text) => {
        const message = JSON.parse(text.toString());
        if (message.type === 'hello') connectionKey = message.connection_key;
        for (const one of message.readers?.readers ?? []) one.keypad = keys;
        toPage.send(JSON.stringify(message));
      });
      toPage.onMessage((text) => {
        const { id, do: asked } = JSON.parse(text.toString());
        const { verb } = asked;
        if (!['prove_holder', 'reset_passcode'].includes(verb) || asked.passcode) return toBridge.send(text);
        reader.#asked.push({
          verb,
          type(passcode) {
            const sealed = sealPasscode(connectionKey, id, verb, passcode);
            toBridge.send(JSON.stringify({ id, do: { ...asked, passcode: sealed } }));
          },
          fail(reason, kind = 'not_entered') {
            toPage.send(JSON.stringify({ type: 'reply', id, outcome: { failed: { kind, reason } } }));
          },
        });
      });
    });
    return reader;
  }

  /** Waits until the reader asks for a passcode. */
  async asks(): Promise<Entry> {
    return until('the reader asks for a passcode', () => this.#asked.shift());
  }
}
