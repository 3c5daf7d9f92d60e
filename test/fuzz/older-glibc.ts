import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/*
 * Jazzer.js ships its libFuzzer addon prebuilt, on Linux against glibc 2.38 and GCC 13. Debian 12 is older and refuses
 * to load it, for the sake of three symbols only: C23's `strtol` and `strtoul`, which differ from the old ones in
 * accepting "0b1", and a marker that libstdc++ initialises its streams itself, which is never called. Here a copy of
 * the addon asks for the old names instead. Nothing else in it changes.
 */
const NEWER_VERSIONS = new Set(['GLIBC_2.38', 'GLIBCXX_3.4.32']);
const C23_PREFIX = '__isoc23_';
const STREAMS_MARKER = '_ZSt21ios_base_library_initv';

/** Section types, symbol binding and flags of ELF. System V ABI, "Object Files"; LSB, "Symbol Versioning". */
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const STB_WEAK = 2;
const VER_FLG_WEAK = 2;
const VER_NDX_GLOBAL = 1;
const SYMBOL_BYTES = 24;

/**
 * Makes Jazzer.js's addon loadable on a Linux with an older glibc; elsewhere does nothing. Has to be called before
 * Jazzer.js is imported. `cacheFolder` takes the adapted copy.
 */
export function adaptAddonToOlderGlibc(cacheFolder: string): void {
  // The addon is a dependency of Jazzer.js, not of this project.
  const fromJazzer = createRequire(import.meta.resolve('@jazzer.js/core'));
  const folder = path.join(path.dirname(fromJazzer.resolve('@jazzer.js/fuzzer/package.json')), 'prebuilds');
  const addon = path.join(folder, `fuzzer-${process.platform}-${process.arch}.node`);
  if (process.platform !== 'linux' || loads(addon)) return;
  mkdirSync(cacheFolder, { recursive: true });
  const copy = path.join(cacheFolder, path.basename(addon));
  // Renamed into place: another process may have the copy mapped, and overwriting it would be a bus error there.
  const unfinished = `${copy}.${process.pid}`;
  writeFileSync(unfinished, withOlderSymbols(readFileSync(addon)));
  renameSync(unfinished, copy);
  const dlopen = process.dlopen.bind(process);
  process.dlopen = (module, file, ...flags) => {
    dlopen(module, file === addon ? copy : file, ...flags);
  };
}

/** Tried in a process of its own, because an addon cannot be unloaded. */
function loads(addon: string): boolean {
  const attempt = ['-e', 'process.dlopen({ exports: {} }, process.argv[1])', addon];
  return spawnSync(process.execPath, attempt, { stdio: 'ignore' }).status === 0;
}

/** A 64-bit little-endian ELF file whose references to newer symbol versions are optional and unversioned. */
function withOlderSymbols(original: Buffer): Buffer {
  const elf = Buffer.from(original);
  const sections = sectionsOf(elf);
  const find = (type: number) => {
    const found = sections.find((section) => section.type === type);
    if (found === undefined) throw new Error('the addon is not an ELF file with symbol versions');
    return found;
  };
  const [symbols, versions, needed] = [find(SHT_DYNSYM), find(SHT_GNU_VERSYM), find(SHT_GNU_VERNEED)];
  const strings = sections[symbols.link];
  const text = (at: number) => {
    const start = (strings?.offset ?? 0) + at;
    return elf.toString('latin1', start, elf.indexOf(0, start));
  };

  const newer = new Set<number>();
  let library = needed.offset;
  for (let left = needed.info; left > 0; left -= 1) {
    let entry = library + elf.readUInt32LE(library + 8);
    for (let versionsLeft = elf.readUInt16LE(library + 2); versionsLeft > 0; versionsLeft -= 1) {
      if (NEWER_VERSIONS.has(text(elf.readUInt32LE(entry + 8)))) {
        elf.writeUInt16LE(elf.readUInt16LE(entry + 4) | VER_FLG_WEAK, entry + 4);
        newer.add(elf.readUInt16LE(entry + 6));
      }
      entry += elf.readUInt32LE(entry + 12);
    }
    library += elf.readUInt32LE(library + 12);
  }

  for (let index = 0; index < symbols.size / SYMBOL_BYTES; index += 1) {
    const version = versions.offset + index * 2;
    if (!newer.has(elf.readUInt16LE(version))) continue;
    elf.writeUInt16LE(VER_NDX_GLOBAL, version);
    const symbol = symbols.offset + index * SYMBOL_BYTES;
    const at = elf.readUInt32LE(symbol);
    const name = text(at);
    if (name === STREAMS_MARKER) elf[symbol + 4] = (STB_WEAK << 4) | ((elf[symbol + 4] ?? 0) & 0xf);
    else if (name.startsWith(C23_PREFIX)) elf.writeUInt32LE(at + C23_PREFIX.length, symbol);
    else throw new Error(`the addon needs ${name}, which this system does not have`);
  }
  return elf;
}

type Section = { type: number; offset: number; size: number; link: number; info: number };

function sectionsOf(elf: Buffer): Section[] {
  const [table, entryBytes, count] = [
    Number(elf.readBigUInt64LE(0x28)),
    elf.readUInt16LE(0x3a),
    elf.readUInt16LE(0x3c),
  ];
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * entryBytes;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 0x18)),
      size: Number(elf.readBigUInt64LE(at + 0x20)),
      link: elf.readUInt32LE(at + 0x28),
      info: elf.readUInt32LE(at + 0x2c),
    };
  });
}
