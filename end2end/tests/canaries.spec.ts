// A full run with secrets that exist nowhere else, and then the search for them everywhere.

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Page } from '@playwright/test';

import { expect, test } from '../fixtures.ts';
import {
  type Canary,
  type Place,
  answerCanaries,
  coreFiles,
  coreFolder,
  coreLimits,
  coresGoElsewhere,
  file,
  filesBelow,
  passcodeCanaries,
  process as processPlaces,
  search,
  unlockKeyCanary,
} from '../harness/canaries.ts';
import { codeIn } from '../harness/mailbox.ts';
import { randomAnswers, randomPasscode } from '../harness/people.ts';
import { lockByWrongPasscodes } from '../harness/piv-tool.ts';
import { RunningProgram } from '../harness/process.ts';
import { Wire } from '../harness/wire.ts';
import type { World } from '../harness/world.ts';
import { expectFieldError, expectHeading, open, reload } from '../steps/page.ts';
import { changePasscode, expectChanged, toPasscode } from '../steps/profile.ts';
import { beginRegistration, fillQuestions, sendCode } from '../steps/register.ts';
import { enterPasscode, signIn } from '../steps/sign-in.ts';
import { DONE, answerRightly, answerWrongly, choosePasscode, enterCode, start } from '../steps/unlock.ts';

// All that the programs would ever say.
test.use({ worldOptions: { logFilter: 'trace' } });

const WRONG_PASSCODE = '58274963';
const NEW_PASSCODE_7 = '4071953';

interface Run {
  secrets: Canary[];
  answers: Canary[];
  codes: Canary[];
}

/** What this world's people know and its cards hold, as it was issued. */
function issued(world: World): Run {
  const secrets: Canary[] = [];
  const answers: Canary[] = [];
  for (const card of world.box.cards) {
    secrets.push(...passcodeCanaries(`the passcode of ${card.card}`, card.passcode));
    secrets.push(unlockKeyCanary(`the unlock key of ${card.card}`, card.unlockKey));
    for (const { question, answer } of card.registered?.answers ?? []) {
      answers.push(...answerCanaries(`the answer of ${card.card} to question ${question}`, answer));
    }
  }
  return { secrets, answers, codes: [] };
}

/** Registers, locks, fails, unlocks: whatever handles a secret is done once. */
async function fullRun(page: Page, world: World): Promise<Run> {
  const run = issued(world);
  const code = async () => {
    const code = codeIn(await world.mailbox.next());
    run.codes.push({ name: 'a code', bytes: Buffer.from(code) });
    run.codes.push({ name: 'a code without its hyphen', bytes: Buffer.from(code.replace('-', '')) });
    return code;
  };
  const newcomer = await world.insert('newcomer');
  run.secrets.push(...passcodeCanaries('a wrong passcode', WRONG_PASSCODE));
  await open(page, '/sign-in');
  await enterPasscode(page, WRONG_PASSCODE, 'Sign in');
  await expectFieldError(page, 'Passcode', 'Your passcode is not correct. You have 2 tries left');
  await signIn(page, newcomer.passcode);
  await beginRegistration(page, newcomer.passcode);
  const chosen = randomAnswers([2, 6, 9, 18]);
  for (const { question, answer } of chosen) {
    run.answers.push(...answerCanaries(`the chosen answer to question ${question}`, answer));
  }
  await fillQuestions(page, chosen);
  await page.getByRole('button', { name: 'Continue' }).click();
  await sendCode(page);
  await page.getByLabel('Registration Code').fill(await code());
  await page.getByRole('button', { name: 'Complete registration' }).click();
  await expect(page.getByRole('alert')).toContainText('Self Service Registration is complete.');
  await world.mailbox.next();

  await lockByWrongPasscodes(newcomer.passcode);
  const registered = { ...newcomer, registered: { email: newcomer.email, answers: chosen } };
  let current = '';
  for (const passcode of [NEW_PASSCODE_7, randomPasscode()]) {
    run.secrets.push(...passcodeCanaries('a new passcode', passcode));
    await start(page);
    await answerWrongly(page);
    await expect(page.locator('.nhsuk-error-summary')).toContainText('You have 2 attempts left.');
    await reload(page);
    await answerRightly(page, registered);
    await enterCode(page, await code());
    await choosePasscode(page, passcode);
    await expectHeading(page, DONE);
    await world.mailbox.next();
    current = passcode;
  }

  const changed = randomPasscode();
  run.secrets.push(...passcodeCanaries('a changed passcode', changed));
  await signIn(page, current);
  await toPasscode(page);
  await changePasscode(page, WRONG_PASSCODE, changed);
  await expectFieldError(page, 'Current passcode', 'Your passcode is not correct. You have 2 tries left');
  await changePasscode(page, current, changed);
  await expectChanged(page, 'Your passcode was changed.');
  await world.mailbox.next();
  return run;
}

/** What the service stores and what both programs say of themselves. */
async function programs(world: World): Promise<Place[]> {
  return [
    ...(await filesBelow(world.service.data, 'data')),
    await file(world.service.log, 'the log of the service'),
    await file(world.bridge.log, 'the log of the bridge'),
  ];
}

function mails(world: World): Place[] {
  return world.mailbox.mails.flatMap(({ subject, text, html, raw }, at) => [
    { name: `mail ${at} «${subject}», as it came`, content: raw },
    { name: `mail ${at} «${subject}», read`, content: Buffer.from(`${subject}\n${text}\n${html}`) },
  ]);
}

test('after a full run no secret is found where it must not be', async ({ page, world }) => {
  const wire = new Wire(page);
  const run = await fullRun(page, world);
  const everySecret = [...run.secrets, ...run.answers];

  const running: Place[] = [
    ...(await programs(world)),
    ...(await processPlaces(world.service.pid, 'the service')),
    ...(await processPlaces(world.bridge.pid, 'the bridge')),
  ];
  const kept = await Wire.kept(page);
  await world.service.stop();
  await world.bridge.stop();
  const stopped = await programs(world);
  expect(running.map(({ name }) => name).join(' '), 'the write-ahead log was there').toContain('-wal');

  const places = [...running, ...stopped, ...mails(world), ...kept, ...wire.requestHeads, ...wire.messages];
  places.push(...wire.responses);
  expect(search(everySecret, places)).toEqual([]);
  expect(search(run.secrets, wire.requestBodies), 'passcodes and unlock keys never go to the service').toEqual([]);
  expect(search(run.codes, [...running, ...stopped, ...kept, ...wire.requestHeads, ...wire.responses])).toEqual([]);
  expect(world.mailbox.mails.filter(({ subject }) => / Code$/.test(subject)).length).toBe(3);
  for (const { subject } of world.mailbox.mails) {
    expect(search(run.codes, [{ name: 'a subject', content: Buffer.from(subject) }])).toEqual([]);
  }

  await test.step('the same search finds what does travel', async () => {
    expect(search(run.answers, wire.requestBodies).length, 'answers in the bodies that carry them').toBeGreaterThan(0);
    expect(search(run.codes, mails(world)).length, 'codes in their mails').toBeGreaterThan(0);
    const manifest = [await file(world.box.manifest, 'the manifest')];
    expect(search(run.secrets, manifest).length, 'secrets in the manifest').toBeGreaterThan(0);
  });
});

test('no program leaves a core file', async ({ world }) => {
  for (const [name, program] of [
    ['the service', world.service],
    ['the bridge', world.bridge],
  ] as const) {
    expect(await coreLimits(program.pid), name).toEqual(['0', '0']);
    const folder = await coreFolder(program.pid);
    const before = await coreFiles(folder);
    await program.abort();
    expect(program.isRunning, `${name} has ended`).toBe(false);
    expect(await coreFiles(folder), name).toEqual(before);
  }

  await test.step('a program that does not forbid it leaves one', async () => {
    const other = RunningProgram.start('sleep', ['sleep', '60'], join(world.folder, 'sleep.log'));
    await other.ready(async () => (await readFile(`/proc/${other.pid}/comm`, 'utf8')).trim() === 'sleep');
    const [limit] = await coreLimits(other.pid);
    const folder = await coreFolder(other.pid);
    const before = await coreFiles(folder);
    await other.abort();
    const left = (await coreFiles(folder)).filter((name) => !before.includes(name));
    await Promise.all(left.map((name) => rm(join(folder, name))));
    test.skip(limit === '0' || (await coresGoElsewhere()), 'this machine keeps no core files in a folder');
    expect(left).toHaveLength(1);
  });
});

test('the search finds a planted secret in every form', async ({ world }) => {
  const card = world.box.card('member');
  const key = unlockKeyCanary('the unlock key', card.unlockKey);
  const passcode = passcodeCanaries('the passcode', NEW_PASSCODE_7);
  const answer = answerCanaries('the answer', 'Vorapilu Kemosati');
  const padded = passcode[1] as Canary;
  const plants: [string, Buffer, Canary[]][] = [
    ['raw', Buffer.concat([Buffer.from('x'), key.bytes, Buffer.from('y')]), [key]],
    ['capital hex', Buffer.from(card.unlockKey.toUpperCase()), [key]],
    ['hex with spaces', Buffer.from((card.unlockKey.match(/../g) ?? []).join(' ')), [key]],
    ['a list of bytes', Buffer.from(`[${[...key.bytes].join(', ')}]`), [key]],
    ['the padded passcode in hex', Buffer.from(padded.bytes.toString('hex')), passcode],
    ['the passcode in a sentence', Buffer.from(`passcode=${NEW_PASSCODE_7};`), passcode],
    ['the folded answer', Buffer.from('vorapilukemosati'), answer],
    ['a capital word of the answer', Buffer.from('KEMOSATI'), answer],
    ...['', 'a', 'ab', 'abc'].map((before): [string, Buffer, Canary[]] => [
      `base64 after ${before.length} bytes`,
      Buffer.from(Buffer.concat([Buffer.from(before), key.bytes, Buffer.from('after')]).toString('base64')),
      [key],
    ]),
  ];
  for (const [name, content, canaries] of plants) {
    expect(search(canaries, [{ name, content }]), name).not.toEqual([]);
  }

  const database = join(world.service.data, 'planted.sqlite');
  await writeFile(database, Buffer.concat([await readFile(world.box.manifest), key.bytes]));
  const places = await filesBelow(world.service.data, 'data');
  expect(search([key], places)).not.toEqual([]);
});
