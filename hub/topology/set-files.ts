/**
 * The files of a set while they are gathered, from a directory or an archive: within the limits of a set, under paths
 * that mean the same everywhere.
 */
import { ConfigError } from '#net/base/errors.ts'

/** Of a file, and of all together, in octets. */
export const MAX_FILE = 1 << 20
export const MAX_SET = 10 << 20
export const MAX_FILES = 1000
const MAX_DEPTH = 8
const MAX_PATH = 255

export class SetFiles {
  /** By path, `/` between the parts. */
  readonly files = new Map<string, Buffer>()
  readonly #name: string
  /** Files and directories without their case: a set may be stored where case makes no difference. */
  readonly #known = new Map<string, string>()
  #octets = 0

  /** @param name  of the set, for errors */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * Whether the set takes a file; hidden ones are left out.
   * @param size  octets, as the archive has it
   * @throws ConfigError for a path or size that no set may have
   */
  accepts(path: string, size: number): boolean {
    const parts = this.#partsOf(path)
    if (parts.some((part) => part.startsWith('.') || part === '__MACOSX')) return false
    if (size > MAX_FILE) this.#refuse(`${shown(path)} is larger than ${MAX_FILE >> 20} MiB`)
    if (this.#octets + size > MAX_SET) this.#refuse(`it is larger than ${MAX_SET >> 20} MiB`)
    if (this.files.size === MAX_FILES) this.#refuse(`it has more than ${MAX_FILES} files`)
    return true
  }

  /** @throws ConfigError */
  add(path: string, octets: Buffer): void {
    if (!this.accepts(path, octets.length)) return
    const parts = this.#partsOf(path)
    for (let i = 1; i < parts.length; i++) this.#claim(`${parts.slice(0, i).join('/')}/`)
    const isNew = this.#claim(path)
    if (!isNew || this.#known.has(`${path}/`.toLowerCase())) this.#refuse(`${shown(path)} is there twice`)
    this.#octets += octets.length
    this.files.set(path, octets)
  }

  /** Something that is no file. @throws ConfigError always */
  refuseEntry(path: string): never {
    return this.#refuse(`${shown(path)} is neither file nor directory: a set has no links and no devices`)
  }

  /** @returns false when it is there already @throws ConfigError when something is there that differs in case only */
  #claim(path: string): boolean {
    const key = path.toLowerCase()
    const known = this.#known.get(key)
    if (known !== undefined && known !== path)
      this.#refuse(`${shown(known)} and ${shown(path)} differ in nothing but case`)
    if (path.endsWith('/') && this.#known.has(key.slice(0, -1)))
      this.#refuse(`${shown(path.slice(0, -1))} is a file and a directory`)
    this.#known.set(key, path)
    return known === undefined
  }

  #partsOf(path: string): string[] {
    const parts = path.split('/')
    const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..')
    // oxlint-disable-next-line no-control-regex
    if (!isPlain || path.length > MAX_PATH || /[\\:\u0000-\u001f\u007f-\u009f]/.test(path))
      this.#refuse(`${shown(path)} is no path of a set`)
    if (parts.length > MAX_DEPTH) this.#refuse(`${shown(path)} is nested too deeply`)
    return parts
  }

  #refuse(reason: string): never {
    throw new ConfigError(`${this.#name}: ${reason}`)
  }
}

const shown = (path: string): string => JSON.stringify(path.length > 80 ? `${path.slice(0, 80)}...` : path)
