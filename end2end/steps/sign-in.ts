// Signing in with the card.

import { type Page, expect } from '@playwright/test';

import { expectHeading, open } from './page.ts';

export async function signIn(page: Page, passcode: string): Promise<void> {
  await open(page, '/sign-in');
  await enterPasscode(page, passcode, 'Sign in');
  await expect(page).toHaveURL('/profile');
  await expectHeading(page, 'My Profile');
}

/** Types the passcode where a page asks for it, and presses its button. */
export async function enterPasscode(page: Page, passcode: string, button: string): Promise<void> {
  await page.getByLabel('Passcode', { exact: true }).fill(passcode);
  await page.getByRole('button', { name: button, exact: true }).click();
}
