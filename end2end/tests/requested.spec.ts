// Certificates of another authority: a card asks for them, and gets them at the desk once they are there.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { Authority } from '../harness/https.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { run } from '../harness/process.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { openRecord, sayWhyAndHow, toTheDesk } from '../steps/desk.ts';
import { CONFIRM, ISSUE, fillIn, handOver } from '../steps/issue.ts';
import { expectHeading } from '../steps/page.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';

test.use({ worldOptions: { certificates: 'requested' } });

/** Downloads a request, and has the authority make its certificate: gives the name of that file. */
async function certify(page: Page, link: Locator, folder: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  const request = join(folder, download.suggestedFilename());
  await download.saveAs(request);
  const certificate = `${request}.crt`;
  await run('openssl', ['req', '-in', request, '-verify', '-noout']);
  await run('openssl', ['x509', '-req', '-in', request, '-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key'),
    '-CAcreateserial', '-copy_extensions', 'copy', '-days', '30', '-out', certificate]);
  return certificate;
}

test('another authority certifies the keys of a card, which becomes somebody’s once it has the certificates', async ({
  page,
  world,
  watch,
}) => {
  test.slow();
  watch.expect(/api\/ra\/confirm-card/);
  const folder = join(world.folder, 'elsewhere');
  await mkdir(folder);
  await Authority.make(folder);
  const officer = await toTheDesk(page, world);
  await openRecord(page, 'Newcomer', 'Nell Newcomer');
  await page.getByRole('link', { name: ISSUE }).click();
  await world.secondReader.insert('blank');
  const passcode = randomPasscode();
  await fillIn(page, passcode);
  await expect(page.getByText('Blank Smartcard: in')).toBeVisible();
  await enterPasscode(page, officer, CONFIRM);
  await expectHeading(page, 'Nell Newcomer');
  await expect(page.getByText('waits for its certificates')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Smartcards of this person' }).getByRole('row')).toHaveCount(2);
  await expectAccessible(page, 'a record with a card that waits');

  const waiting = page.getByRole('table', { name: 'Smartcards that wait for their certificates' });
  const holder = await certify(page, waiting.getByRole('link', { name: /^PIV authentication/ }), folder);
  const own = await certify(page, waiting.getByRole('link', { name: /^Card authentication/ }), folder);
  expect(await run('openssl', ['x509', '-in', holder, '-noout', '-subject'])).toContain('CN = Nell Newcomer');
  await waiting.getByRole('link', { name: /^Load certificates/ }).click();
  await expectHeading(page, 'Load the certificates of a Smartcard');
  await expect(page.getByText('The Smartcard is there.')).toBeVisible();
  await expectAccessible(page, 'load');

  const summary = page.locator('.nhsuk-error-summary');
  await enterPasscode(page, officer, CONFIRM);
  for (const missing of ['Enter the PIV', 'Enter the card', 'Select why', 'Select how']) {
    await expect(summary).toContainText(missing);
  }
  await expectAccessible(page, 'load with errors');
  await sayWhyAndHow(page);
  const pasted = page.getByLabel('PIV authentication certificate', { exact: true });
  await pasted.fill('nothing of the kind');
  await page.getByLabel('File of the card authentication certificate').setInputFiles(own);
  const read = page.getByLabel('Card authentication certificate', { exact: true });
  await expect(read).toHaveValue(await readFile(own, 'utf8'));
  await enterPasscode(page, officer, CONFIRM);
  await expect(summary).toContainText('PIV authentication certificate must be text from BEGIN CERTIFICATE');
  await pasted.fill(await readFile(own, 'utf8'));
  await enterPasscode(page, officer, CONFIRM);
  await expect(summary).toContainText('PIV authentication certificate must be the one made from that request');
  await pasted.fill(await readFile(holder, 'utf8'));

  // Just after the first of them was written.
  await world.secondReader.remove();
  await world.secondReader.insert('blank', { fault: 'pull', when: 'after', instruction: 'DB' });
  await expect(page.getByText('The Smartcard is there.')).toBeVisible();
  await enterPasscode(page, officer, CONFIRM);
  await world.secondReader.isPulled();
  await expect(page.getByText('Your Smartcard was removed. Put it back.')).toBeVisible();
  await world.secondReader.insert('blank');
  await expect(page.getByText('The Smartcard is there.')).toBeVisible();
  await enterPasscode(page, officer, CONFIRM);
  await expectHeading(page, 'Nell Newcomer');
  await expect(page.getByText('Done. They have been emailed.')).toBeVisible();
  expect((await world.mailbox.next()).text).toContain('has issued a Smartcard to you');
  await expect(waiting).toHaveCount(0);
  await expect(page.getByRole('table', { name: 'Smartcards of this person' }).getByRole('row')).toHaveCount(3);

  await handOver(page, world, 'blank');
  expect(await takesPasscode(passcode)).toBe(true);
  await signIn(page, passcode);
});
