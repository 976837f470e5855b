// What stands between browsers and service, and loses requests and answers on demand.

import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http';

/** A call of a server function that passes. */
export interface Passage {
  /** The server function, like `unlock/release`. */
  endpoint: string;
  /** From its arrival to the service's answer, in milliseconds; none before there is one. */
  took?: number;
}

/** Where a call is lost: before the service has it, after so many milliseconds, or when the service has answered. */
export type LossPoint = 'before' | number | 'after';

/** A call that is to be lost, and what happens at that moment. */
export interface Loss {
  endpoint: string;
  /** Which call of that server function, the first being 1. */
  nth: number;
  point: LossPoint;
  happens: () => Promise<void>;
}

export class Proxy {
  /** The calls that have passed or were lost, in their order. */
  readonly passages: Passage[] = [];
  #loss: (Loss & { left: number }) | undefined;

  private constructor(
    readonly server: Server,
    readonly servicePort: number,
  ) {}

  static async start(port: number, servicePort: number): Promise<Proxy> {
    const server = createServer();
    const proxy = new Proxy(server, servicePort);
    server.on('request', (asked, answer) => {
      // Whatever goes wrong, the browser loses its connection.
      proxy.#pass(asked, answer).catch(() => answer.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, 'localhost', resolve);
    });
    return proxy;
  }

  /** Loses a call that is still to come. */
  lose(loss: Loss): void {
    this.#loss = { ...loss, left: loss.nth };
  }

  /** Lets everything pass. */
  loseNothing(): void {
    this.#loss = undefined;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const endpoint = /^\/api\/(.*)$/.exec(asked.url ?? '')?.[1];
    const body = await read(asked);
    const passage: Passage | undefined = endpoint === undefined ? undefined : { endpoint };
    if (passage) this.passages.push(passage);
    const loss = this.#lossOf(endpoint);
    if (loss?.point === 'before') {
      await loss.happens();
      answer.destroy();
      return;
    }
    const began = performance.now();
    const answered = this.#ask(asked, body);
    if (typeof loss?.point === 'number') {
      answered.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, loss.point as number));
      await loss.happens();
      answer.destroy();
      return;
    }
    const { head, content } = await answered;
    if (passage) passage.took = performance.now() - began;
    if (loss) {
      await loss.happens();
      answer.destroy();
      return;
    }
    answer.writeHead(head.statusCode ?? 502, head.headers);
    answer.end(content);
  }

  #lossOf(endpoint: string | undefined): Loss | undefined {
    const loss = this.#loss;
    if (!loss || loss.endpoint !== endpoint) return undefined;
    loss.left -= 1;
    if (loss.left > 0) return undefined;
    this.#loss = undefined;
    return loss;
  }

  async #ask(asked: IncomingMessage, body: Buffer): Promise<{ head: IncomingMessage; content: Buffer }> {
    const head = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, url, headers } = asked;
      const passed = request({ host: '127.0.0.1', port: this.servicePort, method, path: url, headers, agent: false });
      passed.once('response', resolve);
      passed.once('error', reject);
      passed.end(body);
    });
    return { head, content: await read(head) };
  }
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
