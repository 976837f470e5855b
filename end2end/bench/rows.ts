// Files of made-up people and cards, as an import takes them.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '../harness/process.ts';

/** Writes so many people, each with a card; the cards are encrypted to the import key. */
export async function writeFiles(
  folder: string,
  count: number,
  recipient: string,
): Promise<{ people: string; cards: string }> {
  const [people, cards] = [join(folder, 'people.csv'), join(folder, 'cards.csv')];
  await writeRows(people, 'user_number,name,email', person, count);
  await writeRows(cards, 'guid,user_number,authentication,card_authentication,unlock_key', card, count);
  await run('age', ['-r', recipient, '-o', `${cards}.age`, cards]);
  await rm(cards);
  return { people, cards: `${cards}.age` };
}

/** The name of one of them, of which no other name is the beginning. */
export function nameOf(number: number): string {
  return `First Last ${String(number).padStart(7, '0')}`;
}

function person(number: number): string {
  return `${userNumber(number)},${nameOf(number)},${emailOf(number)}`;
}

export function emailOf(number: number): string {
  return `person.${number}@nhs.net`;
}

function card(number: number): string {
  const random = createHash('sha256').update(String(number)).digest('hex');
  return [random.slice(0, 32), userNumber(number), publicKey(), publicKey(), random.slice(32, 48)].join(',');
}

export function userNumber(number: number): string {
  return `5${String(number).padStart(11, '0')}`;
}

function publicKey(): string {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

async function writeRows(
  file: string,
  header: string,
  row: (number: number) => string,
  count: number,
): Promise<void> {
  const out = createWriteStream(file);
  out.write(`${header}\n`);
  for (let number = 0; number < count; number += 1) {
    if (!out.write(`${row(number)}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}
