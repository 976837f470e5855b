// All measurements, one after another; prints a table and writes target/bench.json.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CardBox } from '../harness/cards.ts';
import { measureBridge } from './bridge.ts';
import { type Measurement, table } from './measure.ts';
import { measurePage } from './page.ts';
import { measureUnlock } from './unlock.ts';

const target = fileURLToPath(new URL('../../target/', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  const cards = await CardBox.make(join(folder, 'cards'));
  const list: Measurement[] = [];
  for (const measure of [measurePage, measureUnlock, measureBridge]) {
    list.push(...(await measure(join(folder, measure.name), cards)));
  }
  console.log(table(list));
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'bench.json'), `${JSON.stringify(list, null, 2)}\n`);
  if (!list.every(({ holds }) => holds)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
