// The steps of issuing a card at the desk.

import { type Page, expect } from '@playwright/test';

import type { World } from '../harness/world.ts';
import { sayWhyAndHow } from './desk.ts';
import { expectHeading } from './page.ts';
import { fillNewPasscode } from './unlock.ts';

export const ISSUE = 'Issue a Smartcard';
export const CONFIRM = 'Confirm with your passcode';

/** The holder's part, and the officer's up to the order. */
export async function fillIn(page: Page, passcode: string): Promise<void> {
  await expectHeading(page, ISSUE);
  await fillNewPasscode(page, passcode);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('heading', { name: 'Take the keyboard back' })).toBeFocused();
  await sayWhyAndHow(page);
}

/** Takes the officer's card away, and puts the one from the second reader into the first. */
export async function handOver(page: Page, world: World, card: string): Promise<void> {
  await world.secondReader.remove();
  await world.pull();
  await expect(page).toHaveURL('/sign-in?removed');
  await world.reader.insert(card);
  await world.bridge.sees(1);
}
