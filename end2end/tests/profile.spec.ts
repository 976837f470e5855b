// A person's own desk: another passcode, other questions, recovery codes, another address, the end of the registration.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers, randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import { expectAccessible } from '../steps/accessible.ts';
import { expectFieldError, expectHeading, expectReader, expectStep, open } from '../steps/page.ts';
import { beginChange, changePasscode, expectChanged, makeRecoveryCodes, toPasscode } from '../steps/profile.ts';
import { fillQuestions } from '../steps/register.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';
import { UNLOCK } from '../steps/unlock.ts';

const WRONG = '36925814';
/** CHANGE REFERENCE DATA. */
const CHANGE = '24';

test('a changed passcode is the only one that the card takes, and its person is told', async ({ page, world }) => {
  const card = await world.insert('member');
  const passcode = randomPasscode();
  await signIn(page, card.passcode);
  await toPasscode(page);
  await expectAccessible(page, 'change of the passcode');
  for (const field of await page.locator('input').all()) await expect(field).not.toHaveAttribute('name');
  const sent: string[] = [];
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await changePasscode(page, card.passcode, passcode);
  await expectChanged(page, 'Your passcode was changed. We have emailed you.');
  expect(sent.some((request) => request.includes('api/change/carry-out'))).toBe(true);
  for (const secret of [card.passcode, passcode]) expect(sent.join('\n')).not.toContain(secret);

  expect(await takesPasscode(card.passcode), 'the card takes its former passcode').toBe(false);
  expect(await takesPasscode(passcode), 'the card takes its new passcode').toBe(true);
  const mail = await world.mailbox.next();
  expect([mail.subject, mail.to]).toEqual(['Your passcode was changed', card.registered?.email]);
  expect(mail.text).toContain('/not-me?of=');
  await expect(page.getByRole('row', { name: 'Passcode changed' })).toBeVisible();
  await expectAccessible(page, 'a changed passcode');
  await signIn(page, passcode);
});

test('what is wrong is told beside its field, and the last try is spent only when asked', async ({ page, world }) => {
  const card = await world.insert('member');
  const passcode = randomPasscode();
  await signIn(page, card.passcode);
  await toPasscode(page);
  await changePasscode(page, '', passcode);
  await expectFieldError(page, 'Current passcode', 'Enter your current passcode');
  await changePasscode(page, card.passcode, '123456');
  await expectFieldError(page, 'New passcode', 'Passcode must not be a sequence, like 123456');
  await changePasscode(page, card.passcode, card.passcode);
  await expectFieldError(page, 'New passcode', 'Enter a passcode that is not your current one');
  await expectAccessible(page, 'change of the passcode with an error');
  await changePasscode(page, WRONG, passcode);
  await expectFieldError(page, 'Current passcode', 'Your passcode is not correct. You have 2 tries left');
  await expect(page.getByLabel('Current passcode'), 'a passcode never stays').toHaveValue('');
  await changePasscode(page, WRONG, passcode);
  await expectFieldError(page, 'Current passcode', 'Your passcode is not correct. You have 1 try left');
  await changePasscode(page, card.passcode, passcode);
  await expectReader(page, '1 try left before your Smartcard locks.');
  await page.getByRole('button', { name: 'Use my last try' }).click();
  await expectChanged(page, 'Your passcode was changed. We have emailed you.');
  await world.mailbox.next();
});

const UNKNOWN = 'We do not know if your passcode was changed.';
const TRY_BOTH = 'try the new passcode. If that is not accepted, use the one before.';

for (const { what, mishap, says, help, hasNew } of [
  { what: 'before it has changed', mishap: { when: 'before', instruction: CHANGE }, says: UNKNOWN, help: TRY_BOTH, hasNew: false },
  { what: 'before it says that it has', mishap: { when: 'after', instruction: CHANGE }, says: UNKNOWN, help: TRY_BOTH, hasNew: true },
  {
    what: 'before it proves it',
    // Two signatures to sign in, one to show which card it is.
    mishap: { when: 'before', instruction: '87', nth: 4 },
    says: 'Your Smartcard has its new passcode.',
    help: 'Use the new passcode from now on.',
    hasNew: true,
  },
] as const) {
  test(`a card that leaves ${what}: the page says what is known, and what to do`, async ({ page, world }) => {
    const card = await world.insert('member', { fault: 'pull', ...mishap });
    const passcode = randomPasscode();
    await signIn(page, card.passcode);
    await toPasscode(page);
    await changePasscode(page, card.passcode, passcode);
    await expectReader(page, says);
    await expect(page.getByText(help)).toBeVisible();
    await expectAccessible(page, 'a change of the passcode that was cut');
    await world.pull();
    await world.insert('member');
    await expectReader(page, says);
    expect([await takesPasscode(card.passcode), await takesPasscode(passcode)]).toEqual([!hasNew, hasNew]);
    if (!hasNew) await takesPasscode(card.passcode);
    expect(world.mailbox.mails, 'nobody is told of what is not known').toHaveLength(0);

    const field = page.getByLabel('New passcode', { exact: true });
    await expect(field, 'a passcode never stays').toHaveValue('');
    await field.fill(passcode);
    await page.getByRole('button', { name: 'Try the new passcode' }).click();
    if (hasNew) {
      await expectChanged(page, 'Your passcode was changed. We have emailed you.');
      await world.mailbox.next();
    } else {
      await expect(page.locator('.nhsuk-error-summary')).toContainText('Your passcode was not changed');
      await changePasscode(page, card.passcode, passcode);
      await expectChanged(page, 'Your passcode was changed. We have emailed you.');
      await world.mailbox.next();
    }
  });
}

test('other questions, recovery codes in their place, and new ones in the place of those', async ({ page, world }) => {
  const card = await world.insert('member');
  await signIn(page, card.passcode);
  await beginChange(page, 'Set other security questions', card.passcode);
  await expectHeading(page, 'Set 4 security questions');
  await expectAccessible(page, 'other questions');
  await fillQuestions(page, randomAnswers([1, 8, 13, 20]));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectChanged(page, 'Your security questions were changed.');
  expect((await world.mailbox.next()).subject).toBe('Your security questions were changed');

  await beginChange(page, 'Use recovery codes instead of questions', card.passcode);
  await expectHeading(page, 'Get your recovery codes');
  await expectAccessible(page, 'recovery codes later');
  const former = await makeRecoveryCodes(page);
  await expectChanged(page, 'Your new recovery codes work from now on');
  expect((await world.mailbox.next()).subject).toBe('Your recovery codes were changed');

  await beginChange(page, 'Make new recovery codes', card.passcode);
  await expectHeading(page, 'Get your recovery codes');
  const codes = await makeRecoveryCodes(page);
  await expectChanged(page, 'Your new recovery codes work from now on');
  await expect(page.locator('main')).toContainText('10 recovery codes left');
  await expectAccessible(page, 'the profile with recovery codes');
  await world.mailbox.next();

  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectHeading(page, 'Enter a recovery code');
  await page.getByLabel('Recovery code').fill(former[0] ?? '');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left');
  await page.getByLabel('Recovery code').fill(codes[0] ?? '');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectStep(page, UNLOCK.code);
  await world.mailbox.next();
});

test('another address is told at both, and the questions stay', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/email/);
  const card = await world.insert('member');
  await signIn(page, card.passcode);
  await beginChange(page, 'Change email address', card.passcode);
  await expectHeading(page, 'Change your email address');
  await expectAccessible(page, 'change of the address');
  await page.getByLabel('Email address').fill(card.registered?.email ?? '');
  await page.getByRole('button', { name: 'Send code' }).click();
  await expectFieldError(page, 'Email address', 'Enter an email address other than the one you have now');
  await page.getByLabel('Email address').fill('morgan.new@demo.nhs.net');
  await page.getByRole('button', { name: 'Send code' }).click();
  await expectHeading(page, 'Enter your Registration Code');
  await expectAccessible(page, 'the code for another address');
  await page.getByLabel('Registration Code').fill(codeIn(await world.mailbox.next()));
  await page.getByRole('button', { name: 'Change email address' }).click();
  await expectChanged(page, 'Your email address was changed.');
  const told = [await world.mailbox.next(), await world.mailbox.next()].map((mail) => mail.to).sort();
  expect(told).toEqual(['morgan.member@demo.nhs.net', 'morgan.new@demo.nhs.net']);
  await expect(page.getByText('4 questions set')).toBeVisible();
});

test('an ended registration unlocks nothing, and one can register anew', async ({ page, world }) => {
  const card = await world.insert('member');
  await signIn(page, card.passcode);
  await page.getByRole('link', { name: 'End registration' }).click();
  await expectHeading(page, 'End your registration');
  await expectAccessible(page, 'end of the registration');
  await page.getByRole('link', { name: 'Keep my registration' }).click();
  await expectHeading(page, 'My Profile');
  await page.getByRole('link', { name: 'End registration' }).click();
  await expectHeading(page, 'End your registration');
  await enterPasscode(page, card.passcode, 'End my registration');
  await expectChanged(page, 'Your registration has ended. We have emailed you.');
  await expect(page.getByText('Not registered')).toBeVisible();
  expect((await world.mailbox.next()).subject).toBe('Your Self Service registration has ended');
  await expect(page.getByRole('link', { name: 'Register', exact: true })).toBeVisible();

  await open(page, '/unlock');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectHeading(page, 'You have not registered for Smartcard Unlock');
});

test('what was done is read page by page', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  // Each but the first ends the session before: with the issue of the card, 22 things were done.
  for (let times = 0; times < 11; times += 1) await signIn(page, card.passcode);
  const rows = page.locator('tbody tr');
  await expect(rows).toHaveCount(20);
  await expect(page.getByRole('link', { name: 'Newest' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Older' }).click();
  await expect(rows).toHaveCount(2);
  await expect(rows.last()).toContainText('Smartcard issued');
  await expect(page.getByRole('link', { name: 'Older' })).toHaveCount(0);
  await expectAccessible(page, 'older activity');
  await page.getByRole('link', { name: 'Newest' }).click();
  await expect(rows).toHaveCount(20);
});
