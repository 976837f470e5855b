// How long the service takes from its start until it is ready, on an SQLite database with people in it.

import type { CardBox } from '../harness/cards.ts';
import { freePort } from '../harness/ports.ts';
import { programs } from '../harness/programs.ts';
import { ServiceCentre } from '../harness/service.ts';
import { Crowd } from './crowd.ts';
import { type Measurement, measured, median } from './measure.ts';
import { startListening } from './processes.ts';

const PEOPLE = { people: 20 };
const STARTS = 15;
const BOUND_MS = 150;

export async function measureStartUp(folder: string, _cards: CardBox): Promise<Measurement[]> {
  const [port, bridgePort, mailPort, adminPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const service = new ServiceCentre({ folder, port, bridgePort, mailPort, adminPort });
  await service.configure();
  await Crowd.takeIn(service, PEOPLE);
  const took: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const began = performance.now();
    const listening = await startListening([programs.serviceCentre(), ...service.serving], port);
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    took.push(performance.now() - began);
    await listening.end();
    if (!ready.ok) throw new Error(`it listens, but is not ready: ${ready.status}`);
  }
  return [measured(`start until ready, median of ${STARTS}`, median(took), 'ms', BOUND_MS)];
}
