/** Follows what is appended to log files. */
import { closeSync, constants, fstatSync, type FSWatcher, openSync, readSync, watch } from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'

const MAX_LINE = 64 * 1024
/** Octets at a file's start that tell one rotation from the next: level, time in ms and more. */
const HEAD = 64
/** Read one after the other. */
const CHUNK = Buffer.alloc(MAX_LINE)

/** Of one directory, which must be there: it takes one watch, however many files are followed. */
export class LogFollower {
  readonly #directory: string
  readonly #tails = new Map<string, LogTail>()
  readonly #watcher: FSWatcher

  constructor(directory: string) {
    this.#directory = directory
    this.#watcher = watch(directory, (_event, file) => {
      if (file !== null) this.#tails.get(file)?.read()
      else for (const tail of this.#tails.values()) tail.read()
    })
    this.#watcher.on('error', () => this.#watcher.close())
  }

  /**
   * Gives each line that is appended to a BoundedFile from now on to `onLine`, across rotations; the file need not be
   * there yet. Lines over 64 KiB are cut.
   */
  follow(file: string, onLine: (line: string) => void): void {
    this.#tails.set(file, new LogTail(join(this.#directory, file), onLine))
  }

  unfollow(file: string): void {
    this.#tails.get(file)?.read()
    this.#tails.delete(file)
  }

  close(): void {
    this.#watcher.close()
  }
}

class LogTail {
  readonly #path: string
  readonly #onLine: (line: string) => void
  #offset = 0
  #head: Buffer = Buffer.alloc(0)
  #decoder = new StringDecoder('utf8')
  #partial = ''

  constructor(path: string, onLine: (line: string) => void) {
    this.#path = path
    this.#onLine = onLine
    withFile(path, (fd) => {
      this.#head = headOf(fd)
      this.#offset = fstatSync(fd).size
    })
  }

  read(): void {
    withFile(this.#path, (fd) => {
      if (!this.#isSame(fd)) {
        withFile(`${this.#path}.1`, (old) => {
          if (this.#isSame(old)) this.#readFrom(old)
        })
        this.#offset = 0
        this.#partial = ''
        this.#decoder = new StringDecoder('utf8')
      }
      this.#head = headOf(fd)
      this.#readFrom(fd)
    })
  }

  /** Whether the file begins with what we have read, and is not shorter. */
  #isSame(fd: number): boolean {
    if (this.#offset === 0) return true
    return fstatSync(fd).size >= this.#offset && headOf(fd).subarray(0, this.#head.length).equals(this.#head)
  }

  #readFrom(fd: number): void {
    for (;;) {
      const length = readSync(fd, CHUNK, 0, CHUNK.length, this.#offset)
      if (length === 0) return
      this.#offset += length
      const lines = (this.#partial + this.#decoder.write(CHUNK.subarray(0, length))).split('\n')
      this.#partial = (lines.pop() ?? '').slice(0, MAX_LINE)
      for (const line of lines) this.#onLine(line.slice(0, MAX_LINE))
    }
  }
}

function headOf(fd: number): Buffer {
  const head = Buffer.alloc(HEAD)
  return head.subarray(0, readSync(fd, head, 0, HEAD, 0))
}

function withFile(path: string, use: (fd: number) => void): void {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return
  }
  try {
    use(fd)
  } finally {
    closeSync(fd)
  }
}
