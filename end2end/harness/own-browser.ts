// A browser that is started for one test: what it is to be like depends on where the website of that test is.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { LaunchOptions } from '@playwright/test';

import { ADDRESS } from './https.ts';
import { programs } from './programs.ts';
import type { World } from './world.ts';

const OWN_MOUNTS = fileURLToPath(new URL('own-mounts', import.meta.url));

export interface OwnBrowserOptions {
  /** The website that the bridge has written policies for; where nothing is said there are none. */
  policies?: 'this website' | 'another website';
  /** What the person answers when Firefox asks; where nothing is said, nothing. */
  answer?: 'allow' | 'block';
  /** What Firefox does with windows that a page opens unasked; those that drive it let them open. */
  popUps?: 'blocked';
}

/** How a browser is started, where `launch` says how its project starts it. */
export async function ownBrowser(launch: LaunchOptions, options: OwnBrowserOptions, world: World): Promise<LaunchOptions> {
  const { policies, answer } = options;
  const scratch = join(world.folder, 'mounts');
  await mkdir(scratch);
  return {
    ...launch,
    firefoxUserPrefs: { ...launch.firefoxUserPrefs, ...preferences(options, world) },
    executablePath: OWN_MOUNTS,
    env: {
      ...process.env,
      BROWSER: launch.executablePath,
      SCRATCH: scratch,
      ...(policies ? { CARD_BRIDGE: programs.cardBridge(), POLICIES_OF: await configuration(policies, world) } : {}),
      ...(answer ? { ANSWER: answer, ANSWER_WHEN: answered(world) } : {}),
    },
  };
}

/** The person answers now. */
export async function answerNow(world: World): Promise<void> {
  await writeFile(answered(world), '');
}

function answered(world: World): string {
  return join(world.folder, 'answered');
}

/** Firefox as later releases are: it takes the website for one of the internet, and asks for websockets too. */
function preferences({ popUps }: OwnBrowserOptions, world: World): Record<string, string | number | boolean> {
  const port = new URL(world.service.origin).port;
  return {
    'network.lna.enabled': true,
    'network.lna.blocking': true,
    'network.lna.websocket.enabled': true,
    'network.lna.address_space.public.override': `${ADDRESS}:${port}`,
    ...(popUps === 'blocked' ? BLOCKING_POP_UPS : {}),
  };
}

/** As it does for everybody; and a window counts as unasked a second and a half after a click, instead of five. */
const BLOCKING_POP_UPS = {
  'remote.prefs.recommended': false,
  'dom.disable_open_during_load': true,
  'dom.user_activation.transient.timeout': 1_500,
};

/** The configuration of a bridge that lists this website, or another one. */
async function configuration(policies: 'this website' | 'another website', world: World): Promise<string> {
  if (policies === 'this website') return world.bridge.configuration;
  const file = join(world.folder, 'another-website.toml');
  const [key] = world.bridge.options.serviceKeys;
  await writeFile(file, `[[origin]]\nurl = "https://another.test"\nservice_keys = ["${key}"]\n`);
  return file;
}
