// All measurements, one after another, or those that are named; prints a table and writes target/bench.json.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CardBox } from '../harness/cards.ts';
import { measureBridge } from './bridge.ts';
import { measureGrowth } from './growth.ts';
import { measureImport } from './import.ts';
import { measureLighthouse } from './lighthouse.ts';
import { measureLoad } from './load.ts';
import { measureServers } from './servers.ts';
import { measureStartUp } from './startup.ts';
import { type Measurement, table } from './measure.ts';
import { measurePage } from './page.ts';
import { measureUnlock } from './unlock.ts';

const MEASURES = {
  page: measurePage,
  lighthouse: measureLighthouse,
  unlock: measureUnlock,
  bridge: measureBridge,
  import: measureImport,
  growth: measureGrowth,
  startup: measureStartUp,
  load: measureLoad,
  servers: measureServers,
};

function isNamed(name: string): name is keyof typeof MEASURES {
  return Object.hasOwn(MEASURES, name);
}

const named = process.argv.slice(2);
const wrong = named.find((name) => !isNamed(name));
if (wrong !== undefined) throw new Error(`«${wrong}» is none of ${Object.keys(MEASURES).join(', ')}`);
const chosen = named.length === 0 ? Object.keys(MEASURES) : named;

const target = fileURLToPath(new URL('../../target/', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  const cards = await CardBox.make(join(folder, 'cards'));
  const list: Measurement[] = [];
  for (const name of chosen.filter(isNamed)) {
    try {
      list.push(...(await MEASURES[name](join(folder, name), cards)));
    } catch (fault) {
      console.error(`«${name}» could not be measured:`, fault);
      process.exitCode = 1;
    }
  }
  console.log(table(list));
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'bench.json'), `${JSON.stringify(list, null, 2)}\n`);
  if (!list.every(({ holds }) => holds)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
