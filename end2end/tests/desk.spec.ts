// The Registration Authority's desk: an officer finds a person, helps them, and is signed out when their card leaves.

import { expect, test } from '../fixtures.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { find, openRecord, sayWhyAndHow, toTheDesk } from '../steps/desk.ts';
import { expectHeading, expectStep, open } from '../steps/page.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';
import { UNLOCK, answerWrongly, start } from '../steps/unlock.ts';

test('whom three failed attempts have locked out, an officer lets in again', async ({ page, world }) => {
  const member = await world.insertLocked('member');
  await start(page);
  for (const left of ['2 attempts left', '1 attempt left']) {
    await answerWrongly(page);
    await expect(page.locator('.nhsuk-error-summary')).toContainText(left);
  }
  await answerWrongly(page);
  await expectHeading(page, 'You cannot unlock this Smartcard yourself');
  const block = await page.locator('.app-ra-contact').innerText();
  const reference = /[A-Z]{3}-[A-Z]{3}/.exec(block)?.[0] ?? 'no reference';
  await world.mailbox.next();
  await world.pull();

  const passcode = await toTheDesk(page, world);
  await openRecord(page, reference.toLowerCase(), member.name);
  await expect(page.locator('main')).toContainText('Locked');
  await expectAccessible(page, 'the record of somebody who is locked out');
  await page.getByRole('link', { name: 'Let them use Smartcard Unlock again' }).click();
  await expectHeading(page, 'Let them use Smartcard Unlock again');
  await enterPasscode(page, passcode, 'Confirm with your passcode');
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Select why');
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Select how you checked who they are');
  await expectAccessible(page, 'an action with errors');
  await sayWhyAndHow(page);
  await enterPasscode(page, passcode, 'Confirm with your passcode');
  await expectHeading(page, member.name);
  await expect(page.getByText('Done. They have been emailed.')).toBeVisible();
  const mail = await world.mailbox.next();
  expect(mail.subject).toBe('Your RA helped with your Smartcard');
  expect(mail.to).toBe(member.registered?.email);
  expect(mail.text).toContain('called you back on the number held');

  await world.pull();
  await expect(page).toHaveURL('/sign-in?removed');
  await expect(page.getByText('You were signed out because your Smartcard left the reader.')).toBeVisible();
  await page.goto('/ra');
  await expect(page).toHaveURL('/sign-in?over');

  await world.insert('member');
  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectStep(page, UNLOCK.questions);
});

test('a person is found by name and number, and nobody by anything else', async ({ page, world }) => {
  await toTheDesk(page, world);
  await find(page, 'Morgan');
  await expect(page.getByRole('table').getByRole('row')).not.toHaveCount(0);
  await expectAccessible(page, 'people who were found');
  await openRecord(page, 'member, mor', 'Morgan Member');
  await page.getByRole('link', { name: 'Back' }).click();
  await openRecord(page, '555000000017', 'Nell Newcomer');
  await expect(page.locator('main')).toContainText('Not registered');
  await page.getByRole('link', { name: 'Back' }).click();
  await find(page, 'nobody at all');
  await expect(page.getByText('No one matches “nobody at all”.')).toBeVisible();
  await expectAccessible(page, 'nobody was found');
});

test('an address that an officer sets is told to both, and waits for a day', async ({ page, world, watch }) => {
  watch.expect(/api\/ra\/confirm-card/);
  const passcode = await toTheDesk(page, world);
  await openRecord(page, 'Morgan', 'Morgan Member');
  await page.getByRole('link', { name: 'Change their email address' }).click();
  // The browser knows the officer's own.
  await expect(page.getByLabel('Email address')).toHaveAttribute('autocomplete', 'off');
  await page.getByLabel('Email address').fill('morgan@elsewhere.test');
  await sayWhyAndHow(page);
  await enterPasscode(page, passcode, 'Confirm with your passcode');
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Email address must end in an approved domain');
  await expectAccessible(page, 'another address with an error');
  await page.getByLabel('Email address').fill('morgan.new@demo.nhs.net');
  await enterPasscode(page, passcode, 'Confirm with your passcode');
  await expectHeading(page, 'Morgan Member');
  const told = [await world.mailbox.next(), await world.mailbox.next()].map((mail) => mail.to).sort();
  expect(told).toEqual(['morgan.member@demo.nhs.net', 'morgan.new@demo.nhs.net']);
  await expect(page.locator('main')).toContainText('Unlock codes go to the address before until');

  await page.getByRole('link', { name: 'Confirm their new email address' }).click();
  await sayWhyAndHow(page);
  await enterPasscode(page, passcode, 'Confirm with your passcode');
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Another officer has to confirm it.');
});

test('a cardholder has no place at the desk, and an officer none at their own record', async ({ page, world, watch }) => {
  watch.expect(/api\/ra\//);
  const newcomer = await world.insert('newcomer');
  await signIn(page, newcomer.passcode);
  await expect(page.getByRole('link', { name: "Registration Authority's desk" })).toHaveCount(0);
  await page.goto('/ra');
  await expect(page.getByText("You do not work at the Registration Authority's desk.")).toBeVisible();
  await page.goto('/ra/people/555000000025');
  await expect(page.getByText("You do not work at the Registration Authority's desk.")).toBeVisible();
  await world.pull();

  await toTheDesk(page, world);
  await page.goto('/ra/people/555000000058');
  await expect(page.getByText('You cannot act on your own record.')).toBeVisible();
  await expectAccessible(page, 'a record that is not shown');
});
