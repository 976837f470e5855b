// Signing in and registering for self-service.

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers } from '../harness/people.ts';
import { expectFieldError, expectHeading, open } from '../steps/page.ts';
import { REGISTER, beginRegistration, enterRegistrationCode, fillQuestions, sendCode, setQuestions } from '../steps/register.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';

test('a cardholder signs in, registers, and the profile says so', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await expect(page.getByText(card.name)).toBeVisible();
  await expect(page.getByText('Not registered')).toBeVisible();

  await beginRegistration(page, card.passcode);
  await setQuestions(page, randomAnswers([1, 8, 13, 20]));
  await expect(page.getByLabel('Email address')).toHaveValue(card.email);
  await sendCode(page);

  const mail = await world.mailbox.next();
  expect(mail.to).toBe(card.email);
  expect(mail.subject).toBe('Your Smartcard Registration Code');
  expect(mail.html, 'the HTML part has the same code').toContain(codeIn(mail));
  expect(mail.text).not.toMatch(/https?:/);
  await expect(page.getByText(`We sent it to ${card.email}`)).toBeVisible();
  await expect(page.getByText('Check your Junk folder.')).toBeVisible();
  await page.getByLabel('Registration Code').fill(codeIn(mail).toLowerCase().replace('-', ' '));
  await page.getByRole('button', { name: 'Complete registration' }).click();

  await expectHeading(page, 'My Profile');
  await expect(page.getByRole('alert')).toContainText('Success');
  await expect(page.getByRole('alert')).toContainText('Self Service Registration is complete.');
  await expect(page.getByText('4 questions set')).toBeVisible();
  expect((await world.mailbox.next()).subject).toBe('Self Service Registration is complete');
});

test('each question left out and each answer left empty is told beside its field', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/questions/);
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  await page.getByRole('button', { name: 'Continue' }).click();
  for (const ordinal of ['first', 'second', 'third', 'fourth']) {
    await expect(page.locator('.nhsuk-error-summary')).toContainText(`Select your ${ordinal} security question`);
  }

  const answers = randomAnswers([1, 8, 13, 20]);
  await fillQuestions(page, answers.map((answer) => ({ ...answer, question: 8 })));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.locator('.nhsuk-error-summary')).toContainText('Select a different question for each');
  for (const { answer } of answers) {
    const fields = await page.getByLabel('Your answer').all();
    const values = await Promise.all(fields.map((field) => field.inputValue()));
    expect(values, 'what was typed stays').toContain(answer);
  }
});

test('an address at another domain is refused beside its field, and stays there', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/email/);
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  await setQuestions(page, randomAnswers([1, 8, 13, 20]));
  const address = page.getByLabel('Email address');
  for (const [typed, sentence] of [
    ['nell@example.com', 'Enter an email address that ends in nhs.net, nhs.uk, gov.uk or mod.uk'],
    ['nell@nhs.net.example.com', 'Enter an email address that ends in nhs.net, nhs.uk, gov.uk or mod.uk'],
    ['nell at nhs.net', 'Enter an email address in the correct format, like name@nhs.net'],
  ] as const) {
    await address.fill(typed);
    await page.getByRole('button', { name: 'Send code' }).click();
    await expectFieldError(page, 'Email address', sentence);
    await expect(address).toHaveValue(typed);
  }
  expect(world.mailbox.unread, 'no code was sent').toBe(0);

  await address.fill('nell@ward.nhs.uk');
  await sendCode(page);
  expect((await world.mailbox.next()).to).toBe('nell@ward.nhs.uk');
});

test('a wrong registration code costs a try and the right one still works', async ({ page, world, watch }) => {
  watch.expect(/api\/register\/code/);
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  await setQuestions(page, randomAnswers([1, 8, 13, 20]));
  await sendCode(page);
  for (const [typed, sentence] of [
    ['', 'Enter your registration code'],
    ['12345678', 'Registration code must be 8 letters'],
    ['BBBB-BBBB', 'Registration code is not correct. You have 4 tries left'],
  ] as const) {
    await page.getByLabel('Registration Code').fill(typed);
    await page.getByRole('button', { name: 'Complete registration' }).click();
    await expectFieldError(page, 'Registration Code', sentence);
    await expect(page.getByLabel('Registration Code')).toHaveValue(typed);
  }
  await enterRegistrationCode(page, world.mailbox);
});

test('nothing of a registration shows before someone is signed in', async ({ page, world }) => {
  await world.insert('newcomer');
  await page.goto('/profile');
  await expect(page).toHaveURL('/sign-in');
  for (const { heading } of Object.values(REGISTER).slice(1)) expect(await page.content()).not.toContain(heading);
  for (const path of ['/register/questions', '/register/email', '/register/code', '/register/passcode']) {
    await page.goto(path);
    await expect(page).toHaveURL('/sign-in?over');
  }
});

test('signing out ends the session', async ({ page, world, context }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  const cookies = await context.cookies();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You have signed out.')).toBeVisible();
  await context.addCookies(cookies);
  await page.goto('/profile');
  await expect(page, 'the old cookie is worth nothing').toHaveURL('/sign-in');
});

test('what is no passcode is told beside the field, and the card is not asked', async ({ page, world }) => {
  const card = await world.insert('newcomer');
  await open(page, '/sign-in');
  await enterPasscode(page, '', 'Sign in');
  await expectFieldError(page, 'Passcode', 'Enter your passcode');
  for (const typed of ['12345', '123456789', 'secret1']) {
    await enterPasscode(page, typed, 'Sign in');
    await expectFieldError(page, 'Passcode', 'Passcode must be 6 to 8 digits');
  }
  await enterPasscode(page, card.passcode, 'Sign in');
  await expect(page).toHaveURL('/profile');
});
