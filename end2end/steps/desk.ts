// The steps of an officer at the Registration Authority's desk.

import { type Page, expect } from '@playwright/test';

import type { World } from '../harness/world.ts';
import { expectHeading, takenOver } from './page.ts';
import { signIn } from './sign-in.ts';

const FIND = 'Find a person';

/** Gives somebody the role, and signs them in. */
export async function toTheDesk(page: Page, world: World, role = 'ra-agent'): Promise<string> {
  const officer = await world.insert('officer');
  await world.service.command('grant-ra', officer.userNumber, '--role', role);
  await signIn(page, officer.passcode);
  await page.getByRole('link', { name: "Registration Authority's desk" }).click();
  await expectHeading(page, FIND);
  return officer.passcode;
}

export async function find(page: Page, text: string): Promise<void> {
  await page.getByLabel('Who is it?').fill(text);
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page).toHaveURL(/\?q=/);
  await takenOver(page);
}

export async function openRecord(page: Page, text: string, name: string): Promise<void> {
  await find(page, text);
  await page.getByRole('link', { name, exact: true }).click();
  await expectHeading(page, name);
}

export async function sayWhyAndHow(page: Page): Promise<void> {
  await page.getByLabel('They asked for it').check();
  await page.getByLabel('Called them back on the number held').check();
}
