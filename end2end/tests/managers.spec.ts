// What managers of the Registration Authority do for everybody: reports, the whole trail, an import.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { run } from '../harness/process.ts';
import type { World } from '../harness/world.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, takenOver } from '../steps/page.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';

/** Gives the officer a role, and signs them in. */
async function toTheDesk(page: Page, world: World, role: string): Promise<string> {
  const officer = await world.insert('officer');
  await world.service.command('grant-ra', officer.userNumber, '--role', role);
  await signIn(page, officer.passcode);
  await page.getByRole('link', { name: "Registration Authority's desk" }).click();
  await expectHeading(page, 'Find a person');
  return officer.passcode;
}

/** Follows a link that is a file, and reads it. */
async function download(page: Page, link: string): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: link }).click()]);
  return readFile(await file.path(), 'utf8');
}

function publicKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

/** The row of a new card. */
function card(holder: string): string {
  const random = createHash('sha256').update(publicKey()).digest('hex');
  return [random.slice(0, 32), holder, publicKey(), publicKey(), random.slice(32, 48)].join(',');
}

test('a manager imports files, finds that on the trail, and sees what it changed in a report', async ({ page, world }) => {
  test.slow();
  const passcode = await toTheDesk(page, world, 'ra-manager');
  await page.getByRole('link', { name: 'Import people and Smartcards' }).click();
  await expectHeading(page, 'Import people and Smartcards');
  await expectAccessible(page, 'import');
  const [people, cards] = [join(world.folder, 'people.csv'), join(world.folder, 'cards.csv')];
  await writeFile(people, 'user_number,name,email,organisation\n1001,Ida Imported,,Trust A\n1002,No Address,nobody,\n');
  const header = 'guid,user_number,authentication,card_authentication,unlock_key';
  await writeFile(cards, `${header}\n${card('1001')}\n${card('1009')}\n`);
  const recipient = /age1\w+/.exec(await page.locator('pre').innerText())?.[0] ?? 'nobody';
  await run('age', ['-r', recipient, '-o', `${cards}.age`, cards]);

  await enterPasscode(page, passcode, 'Confirm with your passcode');
  const summary = page.locator('.nhsuk-error-summary');
  for (const missing of ['the file of people', 'the file of Smartcards', 'what happens if a row is refused']) {
    await expect(summary).toContainText(`Select ${missing}`);
  }
  await expectAccessible(page, 'import with errors');
  await page.getByLabel('People', { exact: true }).setInputFiles(people);
  await page.getByLabel('Smartcards', { exact: true }).setInputFiles(`${cards}.age`);
  await page.getByLabel('Keep all other rows').check();
  await enterPasscode(page, passcode, 'Confirm with your passcode');
  await expectHeading(page, 'Latest imports');
  await expect(page.getByText('All rows were read.')).toBeVisible();
  await expect(page.getByText('1 added, 0 moved, 0 unchanged, 1 refused')).toHaveCount(2);
  const refused = page.getByRole('table', { name: 'Rows that were refused' });
  await expect(refused.getByRole('row', { name: 'People 3 The email address is not one' })).toBeVisible();
  await expect(refused.getByRole('row', { name: 'Smartcards 3 Nobody has this user number' })).toBeVisible();
  await expectAccessible(page, 'imports');

  await page.goto('/ra/people/1001');
  await expectHeading(page, 'Ida Imported');
  await expect(page.locator('main')).toContainText('Trust A');
  await expect(page.locator('main')).toContainText('None in the last day.');

  await page.goto('/ra');
  await takenOver(page);
  await page.getByRole('link', { name: 'Audit trail' }).click();
  await expectHeading(page, 'Audit trail');
  await page.getByLabel('What happened', { exact: true }).selectOption('Import begun');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/event=import-begun/);
  await takenOver(page);
  const digest = createHash('sha256').update(await readFile(people)).digest('hex');
  const records = page.getByRole('table');
  await expect(records.getByRole('row')).toHaveCount(2);
  await expect(records).toContainText('Odile Officer, 555000000058');
  await expect(records).toContainText(digest);
  await expectAccessible(page, 'trail');
  expect(await download(page, 'Download all of these as CSV')).toMatch(/^number,time,event.*\r\n\d+,.*,import-begun,done,/);
});

test('an agent sees reports, takes them as a file, and sees nothing that is for managers', async ({ page, world, watch }) => {
  watch.expect(/403 \(Forbidden\)/);
  await toTheDesk(page, world, 'ra-agent');
  await expect(page.getByRole('link', { name: 'Audit trail' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Reports' }).click();
  await expectHeading(page, 'Reports');
  // The demonstration's people are registered.
  const total = page.getByRole('table', { name: 'Over time' }).getByRole('row', { name: /^Total/ });
  await expect(total).toHaveText(/Total\s*2\s*0\s*0\s*0/);
  await expect(page.getByRole('img', { name: 'How often each happened' })).toBeVisible();
  await expectAccessible(page, 'reports');
  await page.getByLabel('Divided into').selectOption('Months');
  await page.getByLabel('Organisation', { exact: true }).selectOption('No organisation known');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page).toHaveURL(/step=month/);
  await takenOver(page);
  await expect(total).toHaveText(/Total\s*2\s*0\s*0\s*0/);
  expect(await download(page, 'Download this as CSV')).toMatch(/^from,registered,unlocked,locked-out,mail-failed\r\n/);
  await page.getByLabel('From', { exact: true }).fill('2030-01-01');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Enter dates of which the first is not after the last');
  await expectAccessible(page, 'reports with an error');
  await page.goto('/ra/trail');
  await expect(page.getByText('Your role is not enough for this.')).toBeVisible();
});
