// Secrets that must not be found where they do not belong, and the search for them in every form in which a program
// might have written them down.

import { readFile, readdir, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A secret, and what to call it in a report: never by its value. */
export interface Canary {
  name: string;
  bytes: Buffer;
}

/** A place that was searched, and what stands there. */
export interface Place {
  name: string;
  content: Buffer;
}

/** A passcode: as it is typed, and as a card takes it, padded to 8 bytes with FF (SP 800-73, part 2, 3.2.1). */
export function passcodeCanaries(name: string, passcode: string): Canary[] {
  const typed = Buffer.from(passcode, 'ascii');
  const padded = Buffer.concat([typed, Buffer.alloc(8, 0xff)]).subarray(0, 8);
  return [
    { name, bytes: typed },
    { name: `${name}, padded`, bytes: padded },
  ];
}

/** An answer: as it is typed, folded, and each of its words. */
export function answerCanaries(name: string, answer: string): Canary[] {
  const forms = new Set([answer, answer.toLowerCase(), answer.replaceAll(' ', ''), ...answer.split(' ')]);
  return [...forms].map((form) => ({ name, bytes: Buffer.from(form, 'utf8') }));
}

/** An unlock key, from the hexadecimal digits of the manifest. */
export function unlockKeyCanary(name: string, digits: string): Canary {
  return { name, bytes: Buffer.from(digits, 'hex') };
}

/** The places in which a canary was found, each with the form in which it stood there. */
export function search(canaries: Canary[], places: Place[]): string[] {
  const found: string[] = [];
  for (const { name, bytes } of canaries) {
    const patterns = forms(bytes);
    for (const place of places) {
      const lower = Buffer.from(place.content.toString('latin1').toLowerCase(), 'latin1');
      for (const { form, pattern, anyCase } of patterns) {
        if ((anyCase ? lower : place.content).includes(pattern)) found.push(`${name} in ${place.name}, ${form}`);
      }
    }
  }
  return found;
}

interface Form {
  form: string;
  pattern: Buffer;
  /** Whether the pattern is in small letters and stands for any. */
  anyCase?: boolean;
}

/** How a program may have written bytes down. */
function forms(bytes: Buffer): Form[] {
  const hex = bytes.toString('hex');
  const pairs = hex.match(/../g) ?? [];
  const text = (form: string, pattern: string, anyCase = false): Form => ({
    form,
    pattern: Buffer.from(pattern, 'latin1'),
    anyCase,
  });
  return [
    { form: 'raw', pattern: bytes },
    text('raw, in another case', bytes.toString('latin1').toLowerCase(), true),
    { form: 'UTF-16', pattern: Buffer.from(bytes.toString('latin1'), 'utf16le') },
    text('hex', hex, true),
    text('hex with spaces', pairs.join(' '), true),
    text('hex with colons', pairs.join(':'), true),
    text('a list of bytes', [...bytes].join(', ')),
    text('a compact list of bytes', [...bytes].join(',')),
    text('percent-encoded', pairs.map((pair) => `%${pair}`).join(''), true),
    ...base64(bytes).map((pattern) => text('base64', pattern)),
    ...base64(bytes).map((pattern) => text('base64url', pattern.replaceAll('+', '-').replaceAll('/', '_'))),
  ];
}

/** What of the base64 of a longer text does not depend on what stands before and after the bytes: one for each phase. */
function base64(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64').replaceAll('=', '');
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    return encoded.slice(first, last);
  });
}

/** Every file below a folder. */
export async function filesBelow(folder: string, name: string): Promise<Place[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({ name: `${name}${file.slice(folder.length)}`, content: await readFile(file) })),
  );
}

export async function file(path: string, name: string): Promise<Place> {
  return { name, content: await readFile(path) };
}

/** Arguments and environment of a process. */
export async function process(pid: number, name: string): Promise<Place[]> {
  const [args, environment] = await Promise.all([readFile(`/proc/${pid}/cmdline`), readFile(`/proc/${pid}/environ`)]);
  return [
    { name: `the arguments of ${name}`, content: args },
    { name: `the environment of ${name}`, content: environment },
  ];
}

async function corePattern(): Promise<string> {
  return (await readFile('/proc/sys/kernel/core_pattern', 'utf8')).trim();
}

/** Whether the machine hands core files to a program, in place of leaving them in a folder. */
export async function coresGoElsewhere(): Promise<boolean> {
  const pattern = await corePattern();
  return pattern === '' || pattern.startsWith('|');
}

/** Where a process would leave its core file: in its working folder, or where the machine says. */
export async function coreFolder(pid: number): Promise<string> {
  const pattern = await corePattern();
  return pattern.startsWith('/') ? dirname(pattern) : readlink(`/proc/${pid}/cwd`);
}

/** What is in a folder that can be a core file. */
export async function coreFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.includes('core'));
}

/** How large a core file of a process may be, as Linux says it: the limit, and the one that it cannot go beyond. */
export async function coreLimits(pid: number): Promise<string[]> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  return /^Max core file size +(\S+) +(\S+)/m.exec(limits)?.slice(1) ?? [];
}
