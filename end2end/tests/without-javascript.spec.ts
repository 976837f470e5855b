// Forms that need no card, in a browser without JavaScript: they work, keep what was typed, and put nothing into an
// address.

import type { Browser, BrowserContext, Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers } from '../harness/people.ts';
import type { World } from '../harness/world.ts';
import { expectHeading } from '../steps/page.ts';
import { beginRegistration, fillQuestions } from '../steps/register.ts';
import { signIn } from '../steps/sign-in.ts';
import { answerRightly, start } from '../steps/unlock.ts';

/** The same person in a browser without JavaScript. */
async function withoutJavaScript(browser: Browser, context: BrowserContext, world: World): Promise<Page> {
  const storageState = await context.storageState();
  const other = await browser.newContext({ baseURL: world.service.origin, javaScriptEnabled: false, storageState });
  return other.newPage();
}

test('a registration goes on without JavaScript, and what was typed stays', async ({ page, world, context, browser }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  const plain = await withoutJavaScript(browser, context, world);
  const press = (name: string) => plain.getByRole('button', { name, exact: true }).click();
  const summary = plain.locator('.nhsuk-error-summary');

  await plain.goto('/register/questions');
  const answers = randomAnswers([1, 8, 13, 20]);
  await fillQuestions(plain, answers);
  await plain.getByLabel('Your answer').last().fill('');
  await press('Continue');
  await expect(summary).toContainText('Enter your answer to question 4');
  await expect(plain.getByLabel('Your answer').first()).toHaveValue(answers[0]?.answer ?? '');
  await expect(plain.getByLabel('Question', { exact: true }).nth(2)).toHaveValue('13');
  expect(plain.url()).not.toContain('?');
  await plain.getByLabel('Your answer').last().fill(answers[3]?.answer ?? '');
  await press('Continue');

  await expectHeading(plain, 'Confirm your email address');
  await plain.getByLabel('Email address').fill('nell@example.com');
  await press('Send code');
  await expect(summary).toContainText('Enter an email address that ends in');
  await expect(plain.getByLabel('Email address')).toHaveValue('nell@example.com');
  expect(plain.url()).not.toMatch(/[?@]/);
  await plain.getByLabel('Email address').fill('nell@nhs.net');
  await press('Send code');

  await expectHeading(plain, 'Enter your Registration Code');
  const code = codeIn(await world.mailbox.next());
  await plain.getByLabel('Registration Code').fill('BBBB-BBBB');
  await press('Complete registration');
  await expect(summary).toContainText('You have 4 tries left');
  await plain.getByLabel('Registration Code').fill(code);
  await press('Complete registration');
  await expect(plain.getByRole('alert')).toContainText('Self Service Registration is complete.');
  await plain.context().close();
});

test('a form that is posted twice is carried out once', async ({ page, world, context }) => {
  const card = await world.insert('newcomer');
  await signIn(page, card.passcode);
  await beginRegistration(page, card.passcode);
  const answers = randomAnswers([1, 8, 13, 20]);
  await fillQuestions(page, answers);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectHeading(page, 'Confirm your email address');
  const form = await page.locator('form:has(#email) input[name=form]').inputValue();
  const post = () =>
    context.request.post('/api/register/email', {
      form: { form, email: card.email },
      headers: { origin: world.service.origin, accept: 'text/html' },
      maxRedirects: 0,
    });
  const [first, second] = [await post(), await post()];
  expect(first.status()).toBe(303);
  expect(second.status()).toBe(303);
  expect(second.headers()['location']).toBe(first.headers()['location']);
  await world.mailbox.next();
  expect(world.mailbox.unread, 'one code was sent').toBe(0);
});

test('an unlock is stopped without JavaScript, and a page that needs the card says what it needs', async ({
  page,
  world,
  context,
  browser,
}) => {
  const card = await world.insertLocked('member');
  await start(page);
  await answerRightly(page, card);
  const plain = await withoutJavaScript(browser, context, world);
  await plain.goto('/unlock/code');
  // Looked for by its element: a search for text passes over it.
  const need = plain.locator('noscript').filter({ visible: true });
  await expect(need).toBeVisible();
  expect(await need.innerHTML()).toContain('>Turn on JavaScript to use your Smartcard reader.<');
  await plain.getByRole('button', { name: 'Stop' }).click();
  await expect(plain.getByText('You stopped. Your Smartcard has not been changed.')).toBeVisible();
  await page.goto('/unlock/code');
  await expect(page).toHaveURL(/\/unlock\?/);
  await plain.context().close();
});
