// One trial: an unlock that is cut, once or more often, taken up again as a person would, and what must be true then.

import { DeadEnd } from '../harness/cardholder.ts';
import type { Executed } from '../harness/cards.ts';
import type { Sealed } from '../harness/client.ts';
import { randomPasscode } from '../harness/people.ts';
import { takesPasscode } from '../harness/piv-tool.ts';
import type { Cut } from './cut.ts';
import type { Stage } from './stage.ts';

export type Outcome =
  /** The person unlocked the card by trying again, and everything holds. */
  | { end: 'recovered' }
  /** Only the RA can help. */
  | { end: 'at the RA'; why: string }
  /** The person cannot go on, or something does not hold. */
  | { end: 'bricked'; why: string }
  /** The last cut has no place in what the cuts before it left to do. */
  | { end: 'not reached' };

/** What happens in a scene; gives the passcode that the card has at its end. */
export type Play = (stage: Stage) => Promise<string>;

/** Something that must be true is not. */
export class Broken extends Error {}

/** Cuts an unlock, and has the person try again after each cut: that must be enough. */
export async function tryCuts(stage: Stage, cuts: Cut[]): Promise<Outcome> {
  return judged(stage, async () => {
    const before = (await stage.executed()).length;
    stage.openPage();
    await stage.insertLocked(cuts[0]);
    for (const [at, cut] of cuts.entries()) {
      if (at > 0) await stage.insert(cut);
      if ((await stage.cut(cut, randomPasscode())) === 'not reached') {
        if (at === 0) throw new Broken('the point of the cut was not reached');
        return { end: 'not reached' };
      }
    }
    await stage.insert();
    const passcode = await stage.page.unlock(randomPasscode());
    await check(stage, (await stage.executed()).slice(before), cuts.length, passcode);
    return { end: 'recovered' };
  });
}

/** Plays a scene. It may cost so many tries of the unlock key. */
export async function tryScene(stage: Stage, play: Play, tries: number): Promise<Outcome> {
  return judged(stage, async () => {
    const before = (await stage.executed()).length;
    await stage.insertLocked();
    const passcode = await play(stage);
    await check(stage, (await stage.executed()).slice(before), tries, passcode);
    return { end: 'recovered' };
  });
}

async function judged(stage: Stage, act: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await act();
  } catch (fault) {
    const why = fault instanceof Error ? fault.message : String(fault);
    return { end: fault instanceof DeadEnd ? 'at the RA' : 'bricked', why };
  } finally {
    stage.closePages();
  }
}

/** What must be true at the end: of the tries of the unlock key, of the passcode, and of what the service knows. */
async function check(stage: Stage, executed: Executed[], tries: number, passcode: string): Promise<void> {
  const spent = executed.filter((command) => namesUnlockKey(command) && command.status !== '9000').length;
  if (spent > tries) throw new Broken(`${spent} tries of the unlock key were spent, and at most ${tries} may be`);
  if (!(await takesPasscode(passcode))) throw new Broken('the card does not take the passcode');
  await checkNextUnlock(stage);
}

/** The service knows which key the card has: it offers that one alone, and the card takes it and gets another. */
async function checkNextUnlock(stage: Stage): Promise<void> {
  const before = (await stage.executed()).length;
  const page = stage.openPage();
  await page.unlock(randomPasscode());
  const offered = page.released.map(candidates).join(', then ');
  if (offered !== '1') throw new Broken(`the next unlock offered ${offered} unlock keys`);
  const commands = (await stage.executed()).slice(before).filter(namesUnlockKey);
  const dialogue = commands.map(({ instruction, status }) => `${instruction} ${status}`).join(', ');
  if (dialogue !== '2C 9000, 24 9000') throw new Broken(`the unlock key of the next unlock: ${dialogue}`);
}

/** RESET RETRY COUNTER, and CHANGE REFERENCE DATA of the unlock key. */
function namesUnlockKey({ instruction, parameters }: Executed): boolean {
  return instruction === '2C' || (instruction === '24' && parameters === '0081');
}

/** How many keys to try are sealed. Beside them there are a byte, the next key, a challenge and a tag. */
function candidates({ ciphertext }: Sealed): number {
  return (Buffer.from(ciphertext, 'base64url').length - (1 + 8 + 32 + 16)) / 8;
}
