// What is no cut and may go as wrong: two pages that unlock one card, and proofs that come late.

import { type Cardholder, DeadEnd } from '../harness/cardholder.ts';
import { CardFault, type CardProof, ServiceFault } from '../harness/client.ts';
import { randomPasscode } from '../harness/people.ts';
import type { Stage } from './stage.ts';
import { Broken, type Play } from './trial.ts';

export interface Scene {
  name: string;
  /** How many tries of the unlock key it may cost. */
  tries: number;
  play: Play;
}

export const SCENES: Scene[] = [
  ...(['questions', 'code', 'passcode'] as const).map((step) => ({
    name: `two pages: the older is at its ${step} when the newer begins`,
    tries: 0,
    play: async (stage: Stage) => {
      const older = stage.openPage();
      await older.begin();
      if (step === 'code') await older.answer(await asked(older));
      if (step === 'passcode') await older.toPasscode();
      const newer = stage.openPage();
      await newer.begin();
      await expectSuperseded(older);
      return newer.unlock(randomPasscode());
    },
  })),
  {
    name: 'two pages: the older has its keys before the newer, and uses them after the newer is done',
    tries: 1,
    play: async (stage) => {
      const older = stage.openPage();
      await older.toPasscode();
      const keys = await older.release();
      const newer = stage.openPage();
      const passcode = await newer.unlock(randomPasscode());
      await expectBusy(older.reset(randomPasscode(), keys));
      return passcode;
    },
  },
  {
    name: 'two pages: both have keys, the older writes the card first, the newer after it',
    tries: 1,
    play: async (stage) => {
      const older = stage.openPage();
      await older.toPasscode();
      const olderKeys = await older.release();
      const newer = stage.openPage();
      await newer.toPasscode();
      const newerKeys = await newer.release();
      const olderProof = await older.reset(randomPasscode(), olderKeys);
      await expectBusy(newer.reset(randomPasscode(), newerKeys));
      const passcode = randomPasscode();
      const newerProof = await newer.reset(passcode, await newer.release());
      await expectOtherStep(older.report(olderProof));
      await newer.report(newerProof);
      return passcode;
    },
  },
  {
    name: 'two pages: both have keys, the newer writes the card first, the older after it',
    tries: 1,
    play: async (stage) => {
      const older = stage.openPage();
      await older.toPasscode();
      const olderKeys = await older.release();
      const newer = stage.openPage();
      await newer.toPasscode();
      const newerKeys = await newer.release();
      const passcode = randomPasscode();
      const newerProof = await newer.reset(passcode, newerKeys);
      await expectBusy(older.reset(randomPasscode(), olderKeys));
      await newer.report(newerProof);
      return passcode;
    },
  },
  {
    name: 'a late completion proof: of an earlier release of the flow, before that of the later one',
    tries: 1,
    play: async (stage) => {
      const page = stage.openPage();
      const [earlier, later, passcode] = await writtenTwice(page);
      await page.report(earlier);
      await expectOtherStep(page.report(later));
      return passcode;
    },
  },
  {
    name: 'a late completion proof: of an earlier release of the flow, after that of the later one',
    tries: 1,
    play: async (stage) => {
      const page = stage.openPage();
      const [earlier, later, passcode] = await writtenTwice(page);
      await page.report(later);
      await expectOtherStep(page.report(earlier));
      return passcode;
    },
  },
  {
    name: 'a late completion proof: of an earlier flow, while the card is not yet written by the later one',
    tries: 1,
    play: async (stage) => {
      const [older, proof] = await writtenAndUnreported(stage);
      const newer = stage.openPage();
      await newer.toPasscode();
      const keys = await newer.release();
      await expectOtherStep(older.report(proof));
      const passcode = randomPasscode();
      await newer.report(await newer.reset(passcode, keys));
      return passcode;
    },
  },
  {
    name: 'a late completion proof: of an earlier flow, after two later unlocks',
    tries: 1,
    play: async (stage) => {
      const [older, proof] = await writtenAndUnreported(stage);
      await stage.openPage().unlock(randomPasscode());
      const passcode = await stage.openPage().unlock(randomPasscode());
      await expectOtherStep(older.report(proof));
      return passcode;
    },
  },
  {
    name: 'a completion proof twice: it is answered alike',
    tries: 0,
    play: async (stage) => {
      const [page, proof, passcode] = await writtenAndUnreported(stage);
      await page.report(proof);
      await page.report(proof);
      return passcode;
    },
  },
];

async function asked(page: Cardholder): Promise<{ id: number }[]> {
  const view = await page.view();
  if (typeof view === 'string' || !('Questions' in view)) throw new Broken(`no questions: ${JSON.stringify(view)}`);
  return view.Questions.asked;
}

/** The card is written, and the proof of it kept back. */
async function writtenAndUnreported(stage: Stage): Promise<[Cardholder, CardProof, string]> {
  const page = stage.openPage();
  await page.toPasscode();
  const passcode = randomPasscode();
  return [page, await page.reset(passcode, await page.release()), passcode];
}

/** The card is written twice in one flow, and both proofs kept back. */
async function writtenTwice(page: Cardholder): Promise<[CardProof, CardProof, string]> {
  await page.toPasscode();
  const earlier = await page.reset(randomPasscode(), await page.release());
  const passcode = randomPasscode();
  return [earlier, await page.reset(passcode, await page.release()), passcode];
}

async function expectSuperseded(page: Cardholder): Promise<void> {
  const view = JSON.stringify(await page.view());
  if (view !== '{"Ended":"Superseded"}') throw new Broken(`the older page sees ${view}`);
}

/** The bridge does not show the card keys from before another unlock. */
async function expectBusy(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (fault) {
    if (fault instanceof CardFault && fault.failure.kind === 'busy') return;
    throw fault;
  }
  throw new Broken('the bridge took keys that were overtaken');
}

/** The service refuses what does not belong to the step of its flow. */
async function expectOtherStep(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (fault) {
    if (fault instanceof ServiceFault && fault.fault === 'OtherStep') return;
    if (fault instanceof DeadEnd || fault instanceof ServiceFault || fault instanceof CardFault) {
      throw new Broken(`in place of a refusal: ${fault.message}`);
    }
    throw fault;
  }
  throw new Broken('the service took what it should refuse');
}
