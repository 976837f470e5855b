// Cardholders with secrets made up for one run, so that they can be searched for afterwards: passcodes of 8 digits, and
// answers of words that exist nowhere else.

import { randomInt } from 'node:crypto';

export interface Answer {
  question: number;
  answer: string;
}

export interface CardOrder {
  card: string;
  userNumber: string;
  name: string;
  email: string;
  passcode: string;
  kind: 'P-256' | 'P-384' | 'RSA-2048';
  registered?: { email: string; answers: Answer[] };
}

/**
 * A passcode that the rules for new ones allow, and that does not occur by chance where a log has text in hexadecimal digits: no
 * letter and no digit begins with 0, 1, 8 or 9 there.
 */
export function randomPasscode(): string {
  for (;;) {
    const digits = Array.from({ length: 8 }, () => randomInt(10));
    const steps = new Set(digits.slice(1).map((digit, at) => digit - (digits[at] ?? 0)));
    const begins = [0, 1].every((odd) => digits.some((digit, at) => at % 2 === odd && [0, 1, 8, 9].includes(digit)));
    if (new Set(digits).size > 4 && steps.size > 3 && begins) return digits.join('');
  }
}

/** A word of four syllables. */
export function randomWord(): string {
  const syllable = () => 'bdfgklmprstvz'.charAt(randomInt(13)) + 'aeiou'.charAt(randomInt(5));
  return Array.from({ length: 4 }, syllable).join('');
}

export function randomAnswers(questions: [number, number, number, number]): Answer[] {
  return questions.map((question) => ({ question, answer: `${randomWord()} ${randomWord()}` }));
}

/** Who has which cards: «newcomer» is not registered, «member» is and has two cards, «rsa-member» has an RSA card, «officer» works at the desk once they are let to. */
export function orders(): CardOrder[] {
  const email = (name: string) => `${name}@demo.nhs.net`;
  const registered = (name: string, questions: [number, number, number, number]) => ({
    email: email(name),
    answers: randomAnswers(questions),
  });
  const member = { userNumber: '555000000025', name: 'Morgan Member', email: email('morgan.member') };
  return [
    {
      card: 'newcomer',
      userNumber: '555000000017',
      name: 'Nell Newcomer',
      email: email('nell.newcomer'),
      passcode: randomPasscode(),
      kind: 'P-256',
    },
    {
      card: 'member',
      ...member,
      passcode: randomPasscode(),
      kind: 'P-256',
      registered: registered('morgan.member', [2, 6, 9, 18]),
    },
    { card: 'member-2', ...member, passcode: randomPasscode(), kind: 'P-384' },
    {
      card: 'rsa-member',
      userNumber: '555000000033',
      name: 'Robin Rivest',
      email: email('robin.rivest'),
      passcode: randomPasscode(),
      kind: 'RSA-2048',
      registered: registered('robin.rivest', [3, 7, 12, 17]),
    },
    {
      card: 'officer',
      userNumber: '555000000058',
      name: 'Odile Officer',
      email: email('odile.officer'),
      passcode: randomPasscode(),
      kind: 'P-256',
    },
  ];
}

/** Cards as they come from their maker. */
export const BLANKS = ['blank', 'blank-2'];

/** The list as `virtual-card make --cards` reads it. */
export function toToml(list: CardOrder[]): string {
  return [`blanks = ${JSON.stringify(BLANKS)}`, ...list.map(card)].join('\n');
}

function card(order: CardOrder): string {
  const lines = [
    '[[card]]',
    `card = ${JSON.stringify(order.card)}`,
    `user_number = ${JSON.stringify(order.userNumber)}`,
    `name = ${JSON.stringify(order.name)}`,
    `email = ${JSON.stringify(order.email)}`,
    `passcode = ${JSON.stringify(order.passcode)}`,
    `piv_authentication = "${order.kind}"`,
    `card_authentication = "${order.kind}"`,
  ];
  if (order.registered) {
    const answers = order.registered.answers.map(
      ({ question, answer }) => `  { question = ${question}, answer = ${JSON.stringify(answer)} },`,
    );
    lines.push('[card.registered]', `email = ${JSON.stringify(order.registered.email)}`, 'answers = [', ...answers, ']');
  }
  return `${lines.join('\n')}\n`;
}
