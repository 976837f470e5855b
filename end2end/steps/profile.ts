// What a person changes on their profile.

import { type Page, expect } from '@playwright/test';

import { expectHeading, open, takenOver } from './page.ts';
import { enterPasscode } from './sign-in.ts';
import { fillNewPasscode } from './unlock.ts';

/** From the profile to the page of the passcode. */
export async function toPasscode(page: Page): Promise<void> {
  await open(page, '/profile');
  await page.getByRole('link', { name: 'Change passcode' }).click();
  await expectHeading(page, 'Change your passcode');
}

/** Types the passcode that the card has and the one that it shall have, and presses the button. */
export async function changePasscode(page: Page, current: string, next: string): Promise<void> {
  await page.getByLabel('Current passcode').fill(current);
  await fillNewPasscode(page, next);
  await page.getByRole('button', { name: 'Change passcode' }).click();
}

/** From the profile by one of its links, and past the passcode. */
export async function beginChange(page: Page, link: string, passcode: string): Promise<void> {
  await open(page, '/profile');
  await page.getByRole('link', { name: link }).click();
  await expectHeading(page, 'Enter your passcode');
  await enterPasscode(page, passcode, 'Continue');
}

/** Makes recovery codes, and keeps them. */
export async function makeRecoveryCodes(page: Page): Promise<string[]> {
  await page.getByRole('button', { name: 'Make my recovery codes' }).click();
  await expect(page.getByRole('heading', { name: 'Your recovery codes', exact: true })).toBeVisible();
  const codes = await page.locator('.app-recovery-codes code').allInnerTexts();
  await page.getByRole('button', { name: 'I have kept them: continue' }).click();
  return codes;
}

/** Expects the profile with what has just happened in its banner. */
export async function expectChanged(page: Page, sentence: string): Promise<void> {
  await expectHeading(page, 'My Profile');
  await expect(page.getByRole('alert')).toContainText(sentence);
  await takenOver(page);
}
