// The unlock page as Lighthouse rates it, on a phone: the median of several runs.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { CardBox } from '../harness/cards.ts';
import { run } from '../harness/process.ts';
import { World } from '../harness/world.ts';
import config from '../playwright.config.ts';
import { type Measurement, atLeast, median } from './measure.ts';

const RUNS = 5;
const BOUNDS = { performance: 97, accessibility: 100, 'best-practices': 100, seo: 100 };

const program = fileURLToPath(new URL('node_modules/lighthouse/cli/index.js', import.meta.url));

interface Report {
  categories: Record<string, { score: number | null }>;
}

export async function measureLighthouse(folder: string, cards: CardBox): Promise<Measurement[]> {
  const world = await World.start(folder, cards);
  try {
    const scores = new Map<string, number[]>(Object.keys(BOUNDS).map((category) => [category, []]));
    for (let number = 0; number < RUNS; number += 1) {
      const report = await rate(`${world.service.origin}/unlock`, join(folder, `lighthouse-${number}.json`));
      for (const [category, list] of scores) {
        const score = report.categories[category]?.score;
        if (typeof score !== 'number') throw new Error(`Lighthouse gave no score for ${category}`);
        list.push(Math.round(score * 100));
      }
    }
    return Object.entries(BOUNDS).map(([category, bound]) =>
      atLeast(`unlock page, Lighthouse: ${category}`, median(scores.get(category) ?? []), 'points', bound),
    );
  } finally {
    await world.end();
  }
}

async function rate(url: string, file: string): Promise<Report> {
  const { executablePath = '', args = [] } = config.use?.launchOptions ?? {};
  const options = [
    `--only-categories=${Object.keys(BOUNDS).join(',')}`,
    `--chrome-flags=--headless=new ${args.join(' ')}`,
    '--output=json',
    `--output-path=${file}`,
    '--quiet',
  ];
  const once = () => run('node', [program, url, ...options], { CHROME_PATH: executablePath });
  // Now and then the browser's trace has no beginning, and Lighthouse says to run it again.
  await once().catch(once);
  return JSON.parse(await readFile(file, 'utf8')) as Report;
}
