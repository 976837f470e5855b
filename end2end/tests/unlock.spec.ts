// Unlocking a locked card, from Start to another program that takes the new passcode.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectFieldError, expectHeading, open } from '../steps/page.ts';
import { signIn } from '../steps/sign-in.ts';
import { DONE, answerRightly, choosePasscode, enterCode, enterRightCode, fillNewPasscode, start, unlock } from '../steps/unlock.ts';

for (const path of ['/unlock', '/selfservicewebapp/unlockCardStart']) {
  test(`a locked card is unlocked from ${path} and another program takes the new passcode`, async ({ page, world }) => {
    const card = await world.insertLocked('member');
    const passcode = randomPasscode();
    await start(page, path);
    await expect(page.getByText('You should not attempt to unlock a card that is not yours.')).toBeVisible();
    await answerRightly(page, card);
    await expect(page.getByText('starting ‘mo’ and ending ‘@demo.nhs.net’')).toBeVisible();
    await expect(page.getByText('It is not your new passcode.')).toBeVisible();
    await expect(page.getByText('Check your Junk folder.').first()).toBeVisible();
    const mail = await world.mailbox.next();
    expect(mail.to).toBe(card.registered?.email);
    expect(mail.subject).toBe('Your Smartcard Unlock Code');
    expect(mail.html).toContain(codeIn(mail));
    await enterCode(page, codeIn(mail).replace('-', '').toLowerCase());
    await choosePasscode(page, passcode);
    await expectHeading(page, DONE);
    await expect(page.getByText('and ready for use')).toBeVisible();

    expect(await takesPasscode(card.passcode), 'the old passcode').toBe(false);
    expect(await takesPasscode(passcode), 'the new passcode').toBe(true);
    expect((await world.mailbox.next()).subject).toBe('Your Smartcard was unlocked');
    expect(await world.service.command('audit', 'verify')).toContain('The audit trail holds');
  });
}

test('a card can be unlocked again and again: each time the next unlock key works', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  for (let times = 0; times < 3; times += 1) {
    const passcode = randomPasscode();
    await unlock(page, card, world.mailbox, passcode);
    expect(await takesPasscode(passcode)).toBe(true);
    expect((await world.mailbox.next()).subject).toBe('Your Smartcard was unlocked');
  }
});

test('an RSA card is unlocked, and its holder signs in with the new passcode', async ({ page, world }) => {
  const card = await world.insertLocked('rsa-member');
  const passcode = randomPasscode();
  await unlock(page, card, world.mailbox, passcode);
  await signIn(page, passcode);
  await expect(page.getByText(card.name)).toBeVisible();
});

test('a passcode that breaks the rules is told beside its field, and the card is not touched', async ({ page, world }) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  await enterRightCode(page, world.mailbox);
  for (const [typed, sentence] of [
    ['', 'Enter a new passcode'],
    ['12345', 'Passcode must be 6 to 8 digits'],
    ['777777', 'Passcode must not be one repeated digit'],
    ['345678', 'Passcode must not be a sequence, like 123456'],
    ['121212', 'Passcode must not be one that many people choose'],
  ] as const) {
    await choosePasscode(page, typed);
    await expectFieldError(page, 'New passcode', sentence);
  }
  await fillNewPasscode(page, randomPasscode());
  await page.getByLabel('Enter your new passcode again').fill(randomPasscode());
  await page.getByRole('button', { name: 'Unlock my Smartcard' }).click();
  await expectFieldError(page, 'Enter your new passcode again', 'Passcodes do not match');

  const passcode = randomPasscode();
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
  expect(await takesPasscode(passcode)).toBe(true);
});

test('a cardholder who has not registered is sent to the RA', async ({ page, world }) => {
  await world.insertLocked('newcomer');
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectHeading(page, 'You have not registered for Smartcard Unlock');
  await expect(page.getByText('Contact your Registration Authority (RA)')).toBeVisible();
  await expect(page.getByText(/Quote reference/)).toBeVisible();
});
