// The steps of an unlock.

import { type Page, expect } from '@playwright/test';

import type { IssuedCard } from '../harness/cards.ts';
import { type Mailbox, codeIn } from '../harness/mailbox.ts';
import { type Step, expectHeading, expectStep, open } from './page.ts';

const step = (number: number, heading: string): Step => ({ heading, caption: `Step ${number} of 3` });

export const UNLOCK = {
  questions: step(1, 'Answer your security questions'),
  code: step(2, 'Enter your Unlock Code'),
  passcode: step(3, 'Choose a new passcode'),
};

/** The heading at the end. */
export const DONE = 'Your Smartcard is unlocked';

/** Presses Start: the card proves itself, and the questions are shown. */
export async function start(page: Page, path = '/unlock'): Promise<void> {
  await open(page, path);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expectStep(page, UNLOCK.questions);
}

/** Types an answer to each of the questions that are asked. */
export async function fillAnswers(page: Page, answer: (question: string) => string): Promise<void> {
  const group = page.getByRole('group', { name: 'Your security questions' });
  const fields = await group.getByRole('textbox').all();
  expect(fields.length).toBeGreaterThan(1);
  for (const field of fields) {
    const label = await field.evaluate((input: HTMLInputElement) => input.labels?.[0]?.textContent ?? '');
    await field.fill(answer(label.trim()));
  }
}

/** Answers rightly, and goes to the code. */
export async function answerRightly(page: Page, card: IssuedCard): Promise<void> {
  await fillAnswers(page, (question) => rightAnswer(card, question));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectStep(page, UNLOCK.code);
}

/** Answers wrongly. */
export async function answerWrongly(page: Page): Promise<void> {
  await fillAnswers(page, (question) => `not ${question.length}`);
  await page.getByRole('button', { name: 'Continue' }).click();
}

export async function enterCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Unlock Code').fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** Enters the code that came by mail, and goes to the passcode. */
export async function enterRightCode(page: Page, mailbox: Mailbox): Promise<void> {
  await enterCode(page, codeIn(await mailbox.next()));
  await expectStep(page, UNLOCK.passcode);
}

export async function fillNewPasscode(page: Page, passcode: string): Promise<void> {
  await page.getByLabel('New passcode', { exact: true }).fill(passcode);
  await page.getByLabel('Enter your new passcode again').fill(passcode);
}

/** Chooses a passcode; the card is unlocked. */
export async function choosePasscode(page: Page, passcode: string): Promise<void> {
  await fillNewPasscode(page, passcode);
  await page.getByRole('button', { name: 'Unlock my Smartcard' }).click();
}

/** A whole unlock of the card in the reader, of someone who is registered. */
export async function unlock(page: Page, card: IssuedCard, mailbox: Mailbox, passcode: string, path?: string) {
  await start(page, path);
  await answerRightly(page, card);
  await enterRightCode(page, mailbox);
  await choosePasscode(page, passcode);
  await expectHeading(page, DONE);
}

/** Some words of each question that cards of the harness have answers to. */
const QUESTION_WORDS: Record<number, string> = {
  2: 'toy or object',
  3: 'Which neighbour',
  6: 'first visit the sea',
  7: 'first trip without family',
  9: 'break as a child',
  12: 'shop did you spend',
  17: 'first book',
  18: 'stop or station',
};

export function rightAnswer(card: IssuedCard, question: string): string {
  const known = card.registered?.answers.find(({ question: number }) => question.includes(QUESTION_WORDS[number] ?? '\0'));
  if (!known) throw new Error(`nobody has answered «${question}»`);
  return known.answer;
}
