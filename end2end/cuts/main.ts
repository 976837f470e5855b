// All trials, one after another, on cards of each kind: prints a line for each, and the sum at the end.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CardBox, type CardKind } from '../harness/cards.ts';
import { SmartcardService } from '../harness/smartcard-service.ts';
import { type Cut, named } from './cut.ts';
import { type Rehearsal, doubles, everywhere, oneOfEach, rehearse, whileWritten } from './plan.ts';
import { SCENES, type Scene } from './scenes.ts';
import type { Stage } from './stage.ts';
import { Stages } from './stages.ts';
import { type Outcome, tryCuts, tryScene } from './trial.ts';

/** The dialects of status words, and what becomes of the tries of an unlock key that has set a passcode. */
const KINDS: [CardKind, ...CardKind[]] = [
  { dialect: 'piv-authenticator', unlockKeyTries: 'reset' },
  { dialect: 'piv-authenticator', unlockKeyTries: 'keep' },
  { dialect: 'strict', unlockKeyTries: 'reset' },
  { dialect: 'strict', unlockKeyTries: 'keep' },
];

interface Trial {
  name: string;
  /** Whether the RA may be needed at its end. */
  mayEndAtTheRa: boolean;
  run: (stage: Stage) => Promise<Outcome>;
}

function cuts(list: Cut[], kind: CardKind): Trial {
  const mayEndAtTheRa = list.length > 1 && kind.unlockKeyTries === 'keep';
  return { name: list.map(named).join(', then '), mayEndAtTheRa, run: (stage) => tryCuts(stage, list) };
}

function scene({ name, play, tries }: Scene): Trial {
  return { name, mayEndAtTheRa: false, run: (stage) => tryScene(stage, play, tries) };
}

/** What is tried on cards of a kind: the first kind is cut everywhere, the others while the card is written. */
function trials(kind: CardKind, rehearsal: Rehearsal): Trial[] {
  const single = kind === KINDS[0] ? everywhere(rehearsal) : whileWritten(rehearsal);
  return [
    ...single.map((cut) => cuts([cut], kind)),
    ...doubles(kind.unlockKeyTries).map((pair) => cuts(pair, kind)),
    ...SCENES.map(scene),
  ];
}

/** A part that takes less than a minute: one cut of each harm, one that is cut again, one late proof. */
function quickTrials(kind: CardKind, rehearsal: Rehearsal): Trial[] {
  return [
    ...oneOfEach(rehearsal).map((cut) => cuts([cut], kind)),
    ...doubles(kind.unlockKeyTries).slice(0, 1).map((pair) => cuts(pair, kind)),
    ...SCENES.slice(-2).map(scene),
  ];
}

const isQuick = process.argv.includes('--quick');
/** Which to try, by their names. */
const chosen = new RegExp(process.env['CUTS'] ?? '');
const kept = fileURLToPath(new URL('../../target/cuts/', import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'cuts-'));
await rm(kept, { recursive: true, force: true });
await mkdir(kept, { recursive: true });
const smartcards = await SmartcardService.takeOver(join(folder, 'pcscd'));
const counts = { recovered: 0, 'at the RA': 0, bricked: 0 };
try {
  const cards = await CardBox.make(join(folder, 'cards'));
  for (const kind of isQuick ? KINDS.slice(-1) : KINDS) {
    const stages = new Stages(folder, cards, smartcards, kind);
    try {
      await run(stages, kind);
      await stages.checkTrail();
    } finally {
      await stages.end();
    }
  }
} finally {
  await smartcards.kill();
  await rm(folder, { recursive: true });
}
const tried = counts.recovered + counts['at the RA'] + counts.bricked;
if (counts.bricked > 0) console.log(`cuts: the logs of those that failed are in ${kept}`);
console.log(`cuts: ${counts['at the RA']} double cuts ended at the RA, as they may on a card that gives no tries back`);
console.log(`cuts: ${tried} tried, ${counts.recovered} recovered, ${counts.bricked} bricked`);
if (counts.bricked > 0 || tried === 0) process.exitCode = 1;

async function run(stages: Stages, kind: CardKind): Promise<void> {
  const rehearsal = await rehearse(await stages.next());
  const list = isQuick ? quickTrials(kind, rehearsal) : trials(kind, rehearsal);
  for (const trial of list.filter(({ name }) => chosen.test(name))) {
    const began = performance.now();
    const outcome = await trial.run(await stages.next());
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const name = `${trial.name} [${kind.dialect}, tries ${kind.unlockKeyTries}]`;
    if (outcome.end === 'not reached') {
      console.log(`-          ${name}: there is no such point`);
      continue;
    }
    const end = outcome.end === 'at the RA' && !trial.mayEndAtTheRa ? 'bricked' : outcome.end;
    counts[end] += 1;
    const why = 'why' in outcome ? `: ${outcome.why}` : '';
    console.log(`${end.padEnd(10)} ${name} (${seconds} s)${why}`);
    if (end !== 'recovered') await stages.giveUp(join(kept, String(counts.bricked + counts['at the RA'])));
  }
}
