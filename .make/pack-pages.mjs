#!/usr/bin/env node
// Packs the parts of each page's bundle into one file. The build cuts the bundles where they overlap, into some two hundred
// parts of mostly a few hundred bytes, and a page that is opened would ask for ninety of them: over HTTP/1.1 and a slow line
// that is felt, and each is compressed for itself.
//
// A pack is a WebAssembly module of nothing but custom sections, one for each part, so that browsers take it apart. Parts
// over 20 kB stay files of their own: they are fetched once for all pages, where a small one is in each pack that needs it.

import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const FOLDER = fileURLToPath(new URL('../target/site/pkg/', import.meta.url));
const MANIFEST = '__wasm_split_manifest.json';
const SMALL = 20_000;

/** What a bundle's own part is called within its pack, and the pack itself. */
const OWN = 'own';
const pack = (bundle) => `pack_${bundle}`;

// The loader, as cargo-leptos 0.3 writes it: how it loads a part, and a bundle with the parts that it needs.
const FETCH = String.raw`\(\(\) => \{
    const src = fetch\(new URL\("\./(\w+)\.wasm", import\.meta\.url\)\);
    return async \(imports\) => \(WebAssembly\.instantiateStreaming\(src, imports\)\);
\}
, \[(.*?)\]\)`;
const PART = new RegExp(String.raw`^/\* .* \*/\nconst __(\w+) = makeLoad${FETCH};\n`, 'gm');
const BUNDLE = new RegExp(String.raw`^export const __wasm_split_load_(\w+) = wrapAsyncCb\(makeLoad${FETCH}\);\n`, 'gm');

const EMPTY_PART = /^\/\* .* \*\/\nconst __(\w+) = makeLoad\(\(\) => async \(_imp\) => \(\{\}\), \[\]\);\n/gm;
const MAKE_LOAD = /^function makeLoad\(.*?^\}\n/ms;

// How the packed ones are loaded: each part once, whichever pack it came in.
const LOADERS = `const loaded = new Map();
function once(name, load) {
    if (!loaded.has(name)) {
        const loading = load();
        loading.catch(() => loaded.delete(name));
        loaded.set(name, loading);
    }
    return loaded.get(name);
}
const open = (file) => fetch(new URL(file, import.meta.url));
const loadPart = (name) => once(name, () => WebAssembly.instantiateStreaming(open(\`./\${name}.wasm\`), getSharedImports()));
function loadBundle(name, alone, packed) {
    return wrapAsyncCb(() => once(name, async () => {
        const fetched = WebAssembly.compileStreaming(open(\`./${pack('${name}')}.wasm\`));
        fetched.catch(() => {});
        const parts = alone.map(loadPart);
        const pack = await fetched;
        const instantiate = (section) =>
            WebAssembly.instantiate(WebAssembly.Module.customSections(pack, section)[0], getSharedImports());
        await Promise.all([...parts, ...packed.map((part) => once(part, () => instantiate(part)))]);
        return instantiate('${OWN}');
    }));
}
`;

const files = readdirSync(FOLDER);
const read = (name) => readFileSync(join(FOLDER, `${name}.wasm`));
const loaderFile = files.find((file) => /^__wasm_split\..*\.js$/.test(file));
const loader = readFileSync(join(FOLDER, loaderFile), 'utf8');

const parts = [...loader.matchAll(PART)].map(([, , name, needs]) => ({ name, needs }));
const empty = [...loader.matchAll(EMPTY_PART)].map(([, name]) => name);
const bundles = [...loader.matchAll(BUNDLE)].map(([, name, own, needs]) => {
  const all = needs.split(', ').filter(Boolean).map((part) => part.replace(/^__/, ''));
  return { name, own, needs: all.filter((part) => !empty.includes(part)) };
});
const others = [PART, EMPTY_PART, BUNDLE, MAKE_LOAD].reduce((rest, pattern) => rest.replace(pattern, ''), loader);
const known = new Set(parts.map(({ name }) => name));
// All of it was understood.
if (others.includes('makeLoad') || bundles.length === 0) throw new Error('the loader is written otherwise');
if (parts.some(({ needs }) => needs !== '')) throw new Error('a part needs others');
if (bundles.some(({ needs }) => needs.some((part) => !known.has(part)))) throw new Error('a bundle needs unknown parts');

const isSmall = (part) => read(part).length <= SMALL;
const manifest = JSON.parse(readFileSync(join(FOLDER, MANIFEST), 'utf8'));
const loads = [];
for (const { name, own, needs } of bundles) {
  const packed = needs.filter(isSmall);
  const alone = needs.filter((part) => !isSmall(part));
  const sections = [...packed.map((part) => section(part, read(part))), section(OWN, read(own))];
  write(`${pack(name)}.wasm`, Buffer.concat([Buffer.from('\0asm\x01\0\0\0', 'latin1'), ...sections]));
  loads.push(`export const __wasm_split_load_${name} = loadBundle(${[name, alone, packed].map((it) => JSON.stringify(it))});\n`);
  if (!(name in manifest)) throw new Error(`${name} is not in the manifest`);
  manifest[name] = [...alone, pack(name)];
}
for (const part of [...parts.map(({ name }) => name).filter(isSmall), ...bundles.map(({ own }) => own)]) {
  for (const ending of ['', '.br', '.gz']) rmSync(join(FOLDER, `${part}.wasm${ending}`), { force: true });
}
write(loaderFile, others + LOADERS + loads.join(''));
write(MANIFEST, JSON.stringify(manifest));
console.error(`pages: ${parts.length + bundles.length} parts in ${readdirSync(FOLDER).filter((file) => file.endsWith('.wasm')).length} files`);

/** A custom section (WebAssembly core specification 1.0, 5.5.3). */
function section(name, bytes) {
  const named = Buffer.from(name);
  const payload = Buffer.concat([leb128(named.length), named, bytes]);
  return Buffer.concat([Buffer.of(0), leb128(payload.length), payload]);
}

function leb128(number) {
  const bytes = [];
  do {
    bytes.push((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
    number >>>= 7;
  } while (number > 0);
  return Buffer.from(bytes);
}

/** Writes a file, and compressed beforehand. */
function write(name, content) {
  const bytes = Buffer.from(content);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(join(FOLDER, name), bytes);
  writeFileSync(join(FOLDER, `${name}.br`), brotliCompressSync(bytes, { params }));
  writeFileSync(join(FOLDER, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}
