// English and Welsh: chosen by a link on any page, remembered, and before that as the browser wants it.

import { expect, test } from '../fixtures.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectHeading, expectStep, open, takenOver } from '../steps/page.ts';
import { UNLOCK } from '../steps/unlock.ts';

test('an unlock goes on in the other language, at the step where it is', async ({ page, world }) => {
  await world.insertLocked('member');
  await open(page, '/unlock');
  await page.getByRole('link', { name: 'Cymraeg' }).click();
  await expectHeading(page, 'Datgloi Cerdyn Clyfar');
  await expect(page.locator('html')).toHaveAttribute('lang', 'cy');
  await expect(page).toHaveURL('/unlock');
  await expectAccessible(page, 'the unlock page in Welsh');
  await takenOver(page);
  // What the page's own script writes is in Welsh too.
  await page.getByRole('button', { name: 'Dechrau', exact: true }).click();
  await expectHeading(page, 'Atebwch eich cwestiynau diogelwch');
  await expect(page.locator('h1 .nhsuk-caption-l')).toHaveText('Cam 1 o 3');
  await page.getByRole('button', { name: 'Parhau' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Mae problem wedi codi');
  await expectAccessible(page, 'questions in Welsh, with errors');

  await page.getByRole('link', { name: 'English' }).click();
  await expectStep(page, UNLOCK.questions);
  await expect(page).toHaveURL('/unlock/questions');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});

test.describe('a browser that wants Welsh', () => {
  test.use({ locale: 'cy-GB' });

  test('gets it, and keeps what is chosen instead', async ({ page }) => {
    await open(page, '/help');
    await expectHeading(page, 'Cymorth');
    await expect(page.locator('footer')).toContainText('Cyfieithiad peirianyddol');
    await page.getByRole('link', { name: 'English' }).click();
    await expectHeading(page, 'Help');
    await open(page, '/unlock');
    await expectHeading(page, 'Smartcard Unlock');
  });
});

test('the leaflet prints on one sheet', async ({ page }) => {
  for (const language of ['en', 'cy']) {
    await page.goto(`/help?lang=${language}`);
    await takenOver(page);
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
    expect(pdf.match(/\/Type\s*\/Page\b(?!s)/g), language).toHaveLength(1);
  }
});
