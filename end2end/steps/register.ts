// The steps of a registration.

import { type Page, expect } from '@playwright/test';

import { type Mailbox, codeIn } from '../harness/mailbox.ts';
import type { Answer } from '../harness/people.ts';
import { type Step, expectStep } from './page.ts';
import { enterPasscode } from './sign-in.ts';

const step = (number: number, heading: string): Step => ({ heading, caption: `Step ${number} of 4` });

export const REGISTER = {
  passcode: step(1, 'Enter your passcode'),
  questions: step(2, 'Set 4 security questions'),
  email: step(3, 'Confirm your email address'),
  code: step(4, 'Enter your Registration Code'),
};

const ORDINALS = ['First', 'Second', 'Third', 'Fourth'];

/** From the profile to the questions. */
export async function beginRegistration(page: Page, passcode: string): Promise<void> {
  await page.getByRole('link', { name: 'Register', exact: true }).click();
  await expectStep(page, REGISTER.passcode);
  await enterPasscode(page, passcode, 'Continue');
  await expectStep(page, REGISTER.questions);
}

export async function fillQuestions(page: Page, answers: Answer[]): Promise<void> {
  for (const [at, { question, answer }] of answers.entries()) {
    const group = page.getByRole('group', { name: `${ORDINALS[at]} security question` });
    await group.getByLabel('Question', { exact: true }).selectOption(String(question));
    await group.getByLabel('Your answer').fill(answer);
  }
}

/** Sets the questions and goes to the address. */
export async function setQuestions(page: Page, answers: Answer[]): Promise<void> {
  await fillQuestions(page, answers);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectStep(page, REGISTER.email);
}

/** Has a code sent to the address that stands there, and goes to the code. */
export async function sendCode(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send code' }).click();
  await expectStep(page, REGISTER.code);
}

/** Enters the code that came by mail. */
export async function enterRegistrationCode(page: Page, mailbox: Mailbox): Promise<void> {
  await page.getByLabel('Registration Code').fill(codeIn(await mailbox.next()));
  await page.getByRole('button', { name: 'Complete registration' }).click();
  await expect(page.getByRole('alert')).toContainText('Self Service Registration is complete.');
}
