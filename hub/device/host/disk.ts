/**
 * What is kept of a host device's disk: an archive in its working directory, written anew when something has changed,
 * and put in the place of the former one when it is whole. It is read from outside the world, where the world's users
 * have no programs; it is unpacked inside (init-script.ts).
 */
import { spawn, type SpawnOptions } from 'node:child_process'
import { closeSync, constants, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { SystemError } from '#net/base/errors.ts'
import { DEVICE_DISK } from '#hub/base/device-paths.ts'

const NEW = `${DEVICE_DISK}.new`
const DAMAGED = `${DEVICE_DISK}.damaged`
/** An archive of small files is larger than they are. */
const ARCHIVE_PER_DISK = 3
const MOST_ERROR_TEXT = 1000
/** Files changed while they were read; the next archive has them. */
const TAR_CHANGED = 1

export class Disk {
  readonly #root: string
  readonly #sizeMb: number
  readonly #notKept: readonly string[]
  /** Since 1970; nothing that changed before it is missing in the archive. */
  #savedMs = Date.now()

  /** @param notKept  paths relative to `root` */
  constructor(root: string, sizeMb: number, notKept: readonly string[]) {
    this.#root = root
    this.#sizeMb = sizeMb
    this.#notKept = notKept
  }

  /** Whether something is not in the archive. */
  async changed(): Promise<boolean> {
    const prune = this.#notKept.flatMap((path) => ['-o', '-path', `./${path}`]).slice(1)
    const since = ['-newerct', `@${(this.#savedMs / 1000).toFixed(3)}`, '-print', '-quit']
    const { output } = await run('find', ['.', '-xdev', '(', ...prune, ')', '-prune', '-o', ...since], {
      cwd: this.#root,
    })
    return output !== ''
  }

  /** @throws SystemError when the archive could not be written; the former one stays */
  async save(): Promise<void> {
    const started = Date.now()
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW
    const fd = openSync(NEW, flags, 0o600)
    try {
      const size = this.#sizeMb * ARCHIVE_PER_DISK * 1024 * 1024
      const { code, errors } = await run(
        'prlimit',
        [`--fsize=${size}`, 'tar', '--create', ...this.#options()],
        { stdio: ['ignore', fd, 'pipe'] },
      )
      if (code !== 0 && code !== TAR_CHANGED)
        throw new SystemError('EIO', `cannot save the disk: ${errors.trim() || `tar ended with ${code}`}`)
      fsyncSync(fd)
      renameSync(NEW, DEVICE_DISK)
      this.#savedMs = started
    } catch (error) {
      rmSync(NEW, { force: true })
      throw error
    } finally {
      closeSync(fd)
    }
  }

  #options(): string[] {
    return [
      `--directory=${this.#root}`,
      '--one-file-system',
      '--sparse',
      '--numeric-owner',
      '--warning=no-file-changed',
      '--warning=no-file-ignored',
      '--anchored',
      '--no-wildcards',
      ...this.#notKept.map((path) => `--exclude=./${path}`),
      '.',
    ]
  }
}

/** Of the archive, for reading; undefined: there is none. */
export function openSavedDisk(): number | undefined {
  return existsSync(DEVICE_DISK)
    ? openSync(DEVICE_DISK, constants.O_RDONLY | constants.O_NOFOLLOW)
    : undefined
}

/** Puts a damaged archive aside, where it stays until the next one is. @returns its name */
export function setDiskAside(): string {
  renameSync(DEVICE_DISK, DAMAGED)
  return DAMAGED
}

interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

function run(command: string, args: readonly string[], options: SpawnOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('nice', [command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
      env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
    })
    let output = ''
    let errors = ''
    child.stdout?.on(
      'data',
      (text: Buffer) => (output = (output + text.toString()).slice(0, MOST_ERROR_TEXT)),
    )
    child.stderr?.on(
      'data',
      (text: Buffer) => (errors = (errors + text.toString()).slice(0, MOST_ERROR_TEXT)),
    )
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output, errors }))
  })
}
