// What the pages do, without a browser: server functions, websocket, sealing.

import { type KeyObject, createCipheriv, createHmac, createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';

import WebSocket from 'ws';

/** The service answered that it does not do it; its fault as it travels. */
export class ServiceFault extends Error {
  constructor(
    readonly endpoint: string,
    readonly fault: unknown,
  ) {
    super(`${endpoint}: ${JSON.stringify(fault)}`);
  }
}

/** The bridge answered that it does not do it; its failure as it travels. */
export class CardFault extends Error {
  constructor(readonly failure: { kind: string }) {
    super(`the bridge: ${JSON.stringify(failure)}`);
  }
}

/** The server functions of one browser. */
export class Pages {
  readonly #cookies = new Map<string, string>();
  readonly #closed = new AbortController();

  constructor(readonly origin: string) {}

  /** Calls a server function that takes and gives JSON. */
  async call<T>(endpoint: string, body: object = {}): Promise<T> {
    const response = await fetch(`${this.origin}/api/${endpoint}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        origin: this.origin,
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      body: JSON.stringify(body),
      signal: this.#closed.signal,
    });
    const text = await response.text();
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = cookie.split(';', 1)[0]?.split('=') ?? [];
      this.#cookies.set(name, value);
    }
    if (!response.ok) throw new ServiceFault(endpoint, faultIn(text));
    return JSON.parse(text) as T;
  }

  /** Breaks off what is being asked, and asks nothing more. */
  close(): void {
    this.#closed.abort();
  }
}

function faultIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A proof by the card, as it travels. */
export interface CardProof {
  connection_key: string;
}

export interface Sealed {
  encapsulated_key: string;
  ciphertext: string;
}

export type CardPurpose = 'hello' | 'unlock' | 'attempt' | 'release';

/** A connection to the bridge. */
export class BridgeConnection {
  /** How long the requests of this connection took, in milliseconds. */
  readonly took: number[] = [];
  #lastId = 0;

  private constructor(
    readonly socket: WebSocket,
    readonly connectionKey: string,
  ) {}

  static async open(url: string, origin: string): Promise<BridgeConnection> {
    const socket = new WebSocket(url, 'card-bridge.v1', { origin });
    const hello = await new Promise<string>((resolve, reject) => {
      socket.once('message', (message) => resolve(message.toString()));
      socket.once('close', (code) => reject(new Error(`the bridge closed with ${code}`)));
      socket.once('error', reject);
    });
    return new BridgeConnection(socket, JSON.parse(hello).connection_key);
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Has the card prove itself. */
  async proveCard(purpose: CardPurpose, challenge: string, reader?: string): Promise<CardProof> {
    return this.#request((this.#lastId += 1), { verb: 'prove_card', purpose, challenge, reader });
  }

  /** Has its holder prove the passcode. */
  async proveHolder(purpose: 'sign-in', challenge: string, passcode: string, reader?: string): Promise<CardProof> {
    const id = (this.#lastId += 1);
    const sealed = sealPasscode(this.connectionKey, id, 'prove_holder', passcode);
    return this.#request(id, { verb: 'prove_holder', purpose, challenge, passcode: sealed, reader });
  }

  /** Unlocks the card. */
  async resetPasscode(passcode: string, unlockKeys: Sealed): Promise<CardProof> {
    const id = (this.#lastId += 1);
    const sealed = sealPasscode(this.connectionKey, id, 'reset_passcode', passcode);
    return this.#request(id, { verb: 'reset_passcode', passcode: sealed, unlock_keys: unlockKeys });
  }

  close(): void {
    this.socket.terminate();
  }

  async #request(id: number, verb: object): Promise<CardProof> {
    const began = performance.now();
    const answered = new Promise<CardProof>((resolve, reject) => {
      const over = () => reject(new Error('the connection to the bridge is lost'));
      const listen = (data: WebSocket.RawData) => {
        const message = JSON.parse(data.toString());
        if (message.type !== 'reply' || message.id !== id) return;
        this.socket.off('message', listen);
        this.socket.off('close', over);
        if (message.outcome.done) resolve(message.outcome.done.proof);
        else reject(new CardFault(message.outcome.failed));
      };
      this.socket.on('message', listen);
      this.socket.once('close', over);
      if (!this.isOpen) over();
    });
    if (this.isOpen) this.socket.send(JSON.stringify({ id, do: verb }));
    const proof = await answered;
    this.took.push(performance.now() - began);
    return proof;
  }
}

/** Seals a passcode to a connection of the bridge, for one request. */
export function sealPasscode(connectionKey: string, id: number, verb: string, passcode: string): Sealed {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(id);
  return seal(connectionKey, Buffer.concat([number, Buffer.from(verb)]), passcode);
}

const PASSCODE_INFO = Buffer.from('smartcard-service-centre/passcode/v1');
const KEM_SUITE = Buffer.from('4b454d0020', 'hex');
const HPKE_SUITE = Buffer.from('48504b45002000010002', 'hex');

/** HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; one message. */
function seal(recipient: string, additionalData: Buffer, text: string): Sealed {
  const recipientKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: recipient }, format: 'jwk' });
  const pair = generateKeyPairSync('x25519');
  const encapsulated = raw(pair.publicKey);
  const shared = diffieHellman({ privateKey: pair.privateKey, publicKey: recipientKey });
  const context = Buffer.concat([encapsulated, raw(recipientKey)]);
  const none = Buffer.alloc(0);
  const secret = expand(KEM_SUITE, extract(KEM_SUITE, none, 'eae_prk', shared), 'shared_secret', context, 32);
  const schedule = Buffer.concat([
    Buffer.from([0]),
    extract(HPKE_SUITE, none, 'psk_id_hash', none),
    extract(HPKE_SUITE, none, 'info_hash', PASSCODE_INFO),
  ]);
  const prk = extract(HPKE_SUITE, secret, 'secret', none);
  const key = expand(HPKE_SUITE, prk, 'key', schedule, 32);
  const nonce = expand(HPKE_SUITE, prk, 'base_nonce', schedule, 12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData);
  const ciphertext = Buffer.concat([cipher.update(text, 'ascii'), cipher.final(), cipher.getAuthTag()]);
  return { encapsulated_key: encapsulated.toString('base64url'), ciphertext: ciphertext.toString('base64url') };
}

function raw(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

/** LabeledExtract (RFC 9180, 4). */
function extract(suite: Buffer, salt: Buffer, label: string, material: Buffer): Buffer {
  const labeled = Buffer.concat([Buffer.from('HPKE-v1'), suite, Buffer.from(label), material]);
  return createHmac('sha256', salt).update(labeled).digest();
}

/** LabeledExpand (RFC 9180, 4), to at most 32 bytes. */
function expand(suite: Buffer, prk: Buffer, label: string, info: Buffer, length: number): Buffer {
  const labeled = [Buffer.from([0, length]), Buffer.from('HPKE-v1'), suite, Buffer.from(label), info, Buffer.from([1])];
  return createHmac('sha256', prk).update(Buffer.concat(labeled)).digest().subarray(0, length);
}
