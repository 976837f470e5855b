// Free ports on loopback, below those that the system hands out by itself for outgoing connections.

import { createServer } from 'node:net';

/** Browsers refuse 10080. */
const FIRST = 10_081;
const COUNT = 9_000;

/** Where the search goes on. Who was given a port listens on it later, so one that was given is not given again. */
let next = Math.floor(Math.random() * COUNT);

/** A port that nobody listens on, on either loopback address, and that nobody was given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '::1'))) return port;
  }
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (fault: NodeJS.ErrnoException) => resolve(fault.code === 'EADDRNOTAVAIL'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
