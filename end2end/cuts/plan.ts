// Which cuts there are: a rehearsal tells what an unlock does, and it is cut at each of these points.

import { type BridgeMessage, Cardholder } from '../harness/cardholder.ts';
import { randomPasscode } from '../harness/people.ts';
import type { Cut, Harm, Point } from './cut.ts';
import type { Stage } from './stage.ts';

interface Apdu {
  nth: number;
  instruction: string;
  message: BridgeMessage;
  /** Its place in the transaction of that message. */
  place: 'first' | 'within' | 'last';
  what: string;
}

interface Request {
  endpoint: string;
  nth: number;
  /** In milliseconds. */
  took: number;
}

/** What an unlock without cuts does, in its order. */
export interface Rehearsal {
  apdus: Apdu[];
  messages: { message: BridgeMessage; nth: number }[];
  requests: Request[];
}

const INSTRUCTIONS: Record<string, string> = {
  A4: 'SELECT',
  CB: 'GET DATA',
  C0: 'GET RESPONSE',
  87: 'GENERAL AUTHENTICATE',
  '2C': 'RESET RETRY COUNTER',
  24: 'CHANGE REFERENCE DATA',
  20: 'VERIFY',
};

/** Server functions that write more than that a flow was used. */
const WRITING = ['unlock/identify', 'unlock/answer', 'unlock/code', 'unlock/release', 'unlock/complete'];

/** An unlock without cuts, and what it did. */
export async function rehearse(stage: Stage): Promise<Rehearsal> {
  await stage.insertLocked();
  const { proxy } = stage.world;
  if (!proxy) throw new Error('the world has no proxy');
  const passed = proxy.passages.length;
  const messages: Rehearsal['messages'] = [];
  const apdus: Apdu[] = [];
  let executed = (await stage.executed()).length;
  const first = executed;
  const page = new Cardholder(stage.world, stage.card, async (message, when) => {
    if (when === 'before') {
      messages.push({ message, nth: 1 + messages.filter((earlier) => earlier.message === message).length });
      return;
    }
    const commands = (await stage.executed()).slice(executed);
    const nth = messages.at(-1)?.nth ?? 1;
    commands.forEach(({ instruction }, at) => {
      const name = INSTRUCTIONS[instruction] ?? instruction;
      const place = at === 0 ? 'first' : at === commands.length - 1 ? 'last' : 'within';
      const what = `${name} (APDU ${at + 1} of ${commands.length} of ${message}${nth > 1 ? `, ${nth}nd time` : ''})`;
      apdus.push({ nth: executed - first + at + 1, instruction, message, place, what });
    });
    executed += commands.length;
  });
  await page.unlock(randomPasscode());
  page.close();
  const requests: Request[] = [];
  for (const { endpoint, took = 0 } of proxy.passages.slice(passed)) {
    requests.push({ endpoint, took, nth: 1 + requests.filter((earlier) => earlier.endpoint === endpoint).length });
  }
  return { apdus, messages, requests };
}

/** All single cuts. */
export function everywhere(rehearsal: Rehearsal): Cut[] {
  return [...atCard(rehearsal), ...atMessages(rehearsal), ...atRequests(rehearsal)];
}

/** Those at the card while it is written, and at what the service hears of it. */
export function whileWritten(rehearsal: Rehearsal): Cut[] {
  const ofReset = ({ message }: Apdu) => message === 'reset_passcode';
  return [
    ...rehearsal.apdus.filter(ofReset).flatMap((apdu) => around(apdu, 'card pulled')),
    ...rehearsal.requests
      .filter(({ endpoint }) => endpoint === 'unlock/release' || endpoint === 'unlock/complete')
      .flatMap((request) => [
        ...(['before', 'after'] as const).map((when) => atRequest('connection cut', request, when)),
        ...(['before', 'after'] as const).map((when) => atRequest('server killed', request, when)),
      ]),
  ];
}

/** One cut of each harm, at points where it is worst. */
export function oneOfEach({ apdus, requests }: Rehearsal): Cut[] {
  const ofReset = apdus.filter(({ message }) => message === 'reset_passcode');
  const written = (instruction: string) => ofReset.filter((apdu) => apdu.instruction === instruction);
  const complete = requests.filter(({ endpoint }) => endpoint === 'unlock/complete');
  const release = requests.filter(({ endpoint }) => endpoint === 'unlock/release');
  return [
    ...written('2C').map((apdu) => atApdu('card pulled', apdu, 'after')),
    ...written('24').map((apdu) => atApdu('reader unplugged', apdu, 'before')),
    ...written('24').map((apdu) => atApdu('pcscd killed', apdu, 'after')),
    ...written('20').map((apdu) => atApdu('bridge killed', apdu, 'after')),
    ...release.map((request) => atRequest('connection cut', request, 'after')),
    ...complete.map((request) => atRequest('server killed', request, request.took / 2)),
    ...complete.map((request) => atRequest('page closed', request, 'before')),
  ];
}

function atCard({ apdus }: Rehearsal): Cut[] {
  const written = apdus.filter(({ message }) => message === 'reset_passcode' || message === 'prove_card release');
  const ends = apdus.filter((apdu) => !written.includes(apdu) && apdu.place !== 'within');
  return [
    ...apdus.flatMap((apdu) => around(apdu, 'card pulled')),
    ...written.flatMap((apdu) => around(apdu, 'reader unplugged')),
    ...written.flatMap((apdu) => around(apdu, 'pcscd killed')),
    ...[...written, ...ends].map((apdu) => atApdu('bridge killed', apdu, 'after')),
    ...written.map((apdu) => atApdu('page closed', apdu, 'after')),
    ...written.filter(({ place }) => place === 'last').map((apdu) => atApdu('server killed', apdu, 'after')),
  ];
}

function atMessages({ messages }: Rehearsal): Cut[] {
  return (['bridge killed', 'page closed'] as const).flatMap((harm) =>
    messages.flatMap(({ message, nth }) =>
      (['before', 'after'] as const).map((when): Cut => {
        const side = when === 'before' ? 'the message' : 'the reply to';
        const what = `${side} ${message}${nth > 1 ? `, ${nth}nd time` : ''}`;
        return { harm, point: { at: 'message', message, nth, when }, what };
      }),
    ),
  );
}

function atRequests({ requests }: Rehearsal): Cut[] {
  const harms = ['connection cut', 'server killed', 'page closed'] as const;
  const ends = (['before', 'after'] as const).flatMap((when) =>
    harms.flatMap((harm) => requests.map((request) => atRequest(harm, request, when))),
  );
  const writing = requests.filter(({ endpoint }) => WRITING.includes(endpoint));
  const within = writing.flatMap((request) =>
    [1, 2, 3, 4, 5].map((part) => atRequest('server killed', request, (request.took * part) / 6)),
  );
  return [...ends, ...within];
}

function around(apdu: Apdu, harm: Harm): Cut[] {
  return [atApdu(harm, apdu, 'before'), atApdu(harm, apdu, 'after')];
}

function atApdu(harm: Harm, { nth, what }: Apdu, when: 'before' | 'after'): Cut {
  return { harm, point: { at: 'apdu', nth, when }, what };
}

function atRequest(harm: Harm, { endpoint, nth }: Request, when: 'before' | 'after' | number): Cut {
  const point: Point = { at: 'request', endpoint, nth, when };
  return { harm, point, what: `${endpoint}${nth > 1 ? `, call ${nth}` : ''}` };
}

/** A second cut in the recovery from a first one, by the points that matter to the unlock key. */
export function doubles(tries: 'reset' | 'keep'): [Cut, Cut][] {
  const [setting, replacing, verifying] = ['2C', '24', '20'] as const;
  const pulled = (when: 'before' | 'after', instruction: string, nth = 1) =>
    byInstruction('card pulled', when, instruction, nth);
  const request = (harm: Harm, endpoint: string, when: 'before' | 'after') =>
    atRequest(harm, { endpoint, nth: 1, took: 0 }, when);
  const firsts = [
    pulled('before', setting),
    pulled('after', setting),
    pulled('after', replacing),
    request('server killed', 'unlock/release', 'after'),
    request('page closed', 'unlock/complete', 'before'),
  ];
  const seconds = [
    pulled('after', setting),
    pulled('after', replacing),
    request('page closed', 'unlock/complete', 'before'),
  ];
  // Where nothing gives the tries back that the first cut has cost, a second one is worth more.
  if (tries === 'keep') {
    seconds.push(
      pulled('before', setting),
      pulled('before', setting, 2),
      pulled('after', setting, 2),
      pulled('before', replacing),
      pulled('after', verifying),
      byInstruction('bridge killed', 'after', setting, 1),
      request('connection cut', 'unlock/release', 'after'),
      request('server killed', 'unlock/complete', 'before'),
    );
  }
  return firsts.flatMap((first) => seconds.map((second): [Cut, Cut] => [first, second]));
}

function byInstruction(harm: Harm, when: 'before' | 'after', instruction: string, nth: number): Cut {
  const what = `${INSTRUCTIONS[instruction]}${nth > 1 ? `, ${nth}nd time` : ''}`;
  return { harm, point: { at: 'apdu', nth, instruction, when }, what };
}
