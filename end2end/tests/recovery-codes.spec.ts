// Recovery codes: what somebody keeps in place of answers that they would have to remember.

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomPasscode } from '../harness/people.ts';
import type { World } from '../harness/world.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { paste } from '../steps/keyboard.ts';
import { expectHeading, expectStep, open } from '../steps/page.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';
import { DONE, UNLOCK, choosePasscode, enterRightCode } from '../steps/unlock.ts';

const RECOVERY = { heading: 'Enter a recovery code', caption: 'Step 1 of 3' };

/** Makes the codes, as the second step of a registration, and goes on to its end. */
async function registerWithCodes(page: Page, world: World, passcode: string): Promise<string[]> {
  await open(page, '/register/passcode');
  await enterPasscode(page, passcode, 'Continue');
  await expect(page).toHaveURL(/register\/(questions|recovery-codes)$/);
  if (page.url().endsWith('/register/questions')) {
    await page.getByRole('link', { name: 'Use recovery codes instead' }).click();
  }
  await page.getByRole('button', { name: 'Make my recovery codes' }).click();
  await expect(page.getByRole('heading', { name: 'Your recovery codes', exact: true })).toBeVisible();
  const codes = await page.locator('.app-recovery-codes code').allInnerTexts();
  await page.getByRole('button', { name: 'I have kept them: continue' }).click();
  await expectHeading(page, 'Confirm your email address');
  await page.getByRole('button', { name: 'Send code' }).click();
  await expectHeading(page, 'Enter your Registration Code');
  await page.getByLabel('Registration Code').fill(codeIn(await world.mailbox.next()));
  await page.getByRole('button', { name: 'Complete registration' }).click();
  await expectHeading(page, 'My Profile');
  await world.mailbox.next();
  return codes;
}

async function enterRecoveryCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Recovery code').fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();
}

test('who keeps recovery codes registers and unlocks without a question to remember', async ({ page, world, watch }) => {
  watch.expect(/api\/unlock\/recovery-code/);
  const card = await world.insert('newcomer');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, card.passcode);
  const codes = await registerWithCodes(page, world, card.passcode);
  expect(codes).toHaveLength(10);
  for (const code of codes) expect(code).toMatch(/^[B-Z]{4}-[B-Z]{4}-[B-Z]{4}$/);
  await expect(page.locator('main')).toContainText('10 recovery codes left');

  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectStep(page, RECOVERY);
  await expectAccessible(page, 'a recovery code is asked for');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Enter a recovery code');
  const field = page.getByLabel('Recovery code');
  await expect(field).toHaveAttribute('autocomplete', 'off');
  await paste(page, field, 'KTRW-MGBD');
  await page.keyboard.press('Enter');
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Recovery code must be 12 letters');
  await enterRecoveryCode(page, 'BBBB-BBBB-BBBB');
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left');
  await expectAccessible(page, 'a wrong recovery code');
  await enterRecoveryCode(page, ` ${codes[2]?.toLowerCase()} `);
  await expectStep(page, UNLOCK.code);
  await enterRightCode(page, world.mailbox);
  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
  await signIn(page, passcode);
  await expect(page.locator('main')).toContainText('9 recovery codes left');
});

test('the codes are copied and downloaded, and shown only once', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/recovery-codes/);
  const card = await world.insert('newcomer');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, card.passcode);
  await open(page, '/register/passcode');
  await enterPasscode(page, card.passcode, 'Continue');
  await page.getByRole('link', { name: 'Use recovery codes instead' }).click();
  await expectHeading(page, 'Get your recovery codes');
  await expectAccessible(page, 'before the codes are made');
  await page.getByRole('button', { name: 'Make my recovery codes' }).click();
  await expect(page.getByRole('heading', { name: 'Your recovery codes', exact: true })).toBeFocused();
  const list = page.locator('.app-recovery-codes code');
  await expect(list).toHaveCount(10);
  await expectAccessible(page, 'recovery codes are shown');
  const codes = await list.allInnerTexts();
  await page.getByRole('button', { name: 'Copy them' }).click();
  await expect(page.getByText('Your recovery codes were copied.').first()).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${codes.join('\n')}\n`);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download them' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('smartcard-recovery-codes.txt');

  await page.reload();
  await open(page, '/register/recovery-codes');
  await page.getByRole('button', { name: 'Make my recovery codes' }).click();
  await expectHeading(page, 'Confirm your email address');
  expect(await page.content()).not.toContain(codes[0]);
});

test.describe('where the organisation wants a code by e-mail only', () => {
  test.use({ worldOptions: { policy: { profile: 'code-only' } } });

  test('a locked card is unlocked without a registration', async ({ page, world }) => {
    const card = await world.insertLocked('newcomer');
    await open(page, '/unlock');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expectStep(page, { ...UNLOCK.code, caption: 'Step 1 of 2' });
    const mail = await world.mailbox.next();
    expect(mail.to).toBe(card.email);
    await page.getByLabel('Unlock Code').fill(codeIn(mail));
    await page.getByRole('button', { name: 'Continue' }).click();
    await expectStep(page, { ...UNLOCK.passcode, caption: 'Step 2 of 2' });
    await choosePasscode(page, randomPasscode());
    await expectHeading(page, DONE);
  });
});

test.describe('where the organisation is strict', () => {
  test.use({ worldOptions: { policy: { profile: 'strict' } } });

  test('a code by e-mail and a recovery code unlock a card', async ({ page, world }) => {
    const card = await world.insert('newcomer');
    await signIn(page, card.passcode);
    const codes = await registerWithCodes(page, world, card.passcode);
    await open(page, '/unlock');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await expectStep(page, { ...UNLOCK.code, caption: 'Step 1 of 3' });
    await page.getByLabel('Unlock Code').fill(codeIn(await world.mailbox.next()));
    await page.getByRole('button', { name: 'Continue' }).click();
    await expectStep(page, { ...RECOVERY, caption: 'Step 2 of 3' });
    await enterRecoveryCode(page, codes[0] ?? '');
    await expectStep(page, UNLOCK.passcode);
    await choosePasscode(page, randomPasscode());
    await expectHeading(page, DONE);
  });
});
