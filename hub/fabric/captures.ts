/** The captures under way in a fabric, and how many there may be: each costs every frame that it sees, and memory. */
import { ConfigError, ProtocolError, reasonOf } from '#net/base/errors.ts'
import { isRecord } from '#net/base/unknown.ts'
import { Capture } from '#net/capture/capture.ts'
import { Filter } from '#net/capture/filter.ts'
import * as libc from '#net/port/libc.ts'
import { parseParams } from '#hub/base/bridge-params.ts'
import { CaptureRequest, captureTarget } from '#hub/base/capture-request.ts'
import { CaptureSession } from '#hub/fabric/capture-session.ts'
import type { Say } from '#hub/fabric/attachment.ts'
import type { Fabric } from '#hub/fabric/fabric.ts'
import { answerLine, readRequestLine } from '#hub/fabric/request-line.ts'

/**
 * Work of all captures in each turn, octets of about 1 ns: a quarter of the time. When the process is busy turns come
 * later, and captures get less.
 */
const WORK_OCTETS = 5_000_000
const WORK_TURN_MS = 20
/** Packets that wait for one reader. */
const RING_OCTETS = 4 << 20
const MOST_CAPTURES = 16
/** So that operators have some left. */
const MOST_OF_USERS = 12
const MOST_OF_ONE_USER = 4

interface Running {
  readonly capture: Capture
  /** Empty: an operator. */
  readonly user: string
}

export class Captures {
  readonly #fabric: Fabric
  readonly #say: Say
  readonly #running = new Map<CaptureSession, Running>()
  /** While some run. */
  #timer: NodeJS.Timeout | undefined

  constructor(fabric: Fabric, say: Say) {
    this.#fabric = fabric
    this.#say = say
  }

  /**
   * Answers a fresh connection of run/capture.sock: it says one JSON line (CaptureRequest), is told one JSON line
   * (`{"ok":true}` or `{"ok":false,"code":...,"message":...}`), and reads the capture from there on. Owns `fd`.
   */
  answer(fd: number): void {
    readRequestLine(fd, (line) => {
      try {
        this.#start(parseParams(CaptureRequest, parseLine(line)), fd)
      } catch (error) {
        const code = error instanceof ProtocolError ? error.code : 'internal'
        answerLine(fd, { ok: false, code, message: reasonOf(error) })
        libc.close(fd)
      }
    })
  }

  /** Ends them all at once: what still waits is not read any more. */
  close(): void {
    for (const session of this.#running.keys()) session.close()
  }

  #start(request: CaptureRequest, fd: number): void {
    const { bridge, port, user } = request
    this.#refuseMore(user)
    const observed = this.#fabric.switchOf(bridge, port)
    const filter = request.filter === undefined ? null : parseFilter(request.filter)
    // A clock that is set meanwhile changes no order: time goes on from here.
    const started = Date.now() - performance.now()
    const capture = new Capture({
      name: bridge,
      direction: request.direction,
      onlyDrops: request.drops,
      filter,
      snapLength: request.snap,
      count: request.count ?? 0,
      octets: RING_OCTETS,
      clock: (timeUs) => {
        timeUs[0] = (started + performance.now()) * 1000
      },
      onChange: () => session.wake(),
    })
    for (const { number } of observed.ports()) {
      const entry = observed.entry(number)
      if (entry !== null && (port === undefined || port === number)) capture.introduce(entry)
    }
    answerLine(fd, { ok: true })
    const what = `${user === '' ? 'an operator' : user} captures ${captureTarget(request)}`
    const session = new CaptureSession(fd, capture, request.seconds, () => {
      observed.unobserve(capture)
      this.#running.delete(session)
      if (this.#running.size === 0) clearInterval(this.#timer)
      this.#say('info', `${what}: ended, ${capture.lost} packets lost`)
    })
    observed.observe(capture, port)
    if (this.#running.size === 0) this.#timer = setInterval(() => this.#allowWork(), WORK_TURN_MS)
    this.#running.set(session, { capture, user })
    this.#allowWork()
    this.#say('info', what)
  }

  #allowWork(): void {
    for (const { capture } of this.#running.values())
      capture.allow(Math.floor(WORK_OCTETS / this.#running.size))
  }

  /** @throws ProtocolError `too-many-captures` */
  #refuseMore(user: string): void {
    const users = [...this.#running.values()].map((running) => running.user).filter((name) => name !== '')
    const isFull =
      this.#running.size >= MOST_CAPTURES ||
      (user !== '' &&
        (users.length >= MOST_OF_USERS || users.filter((name) => name === user).length >= MOST_OF_ONE_USER))
    if (isFull)
      throw new ProtocolError(
        'too-many-captures',
        `too many captures run already: ${MOST_OF_ONE_USER} a user, ${MOST_OF_USERS} of all users, ${MOST_CAPTURES} with operators' (end one)`,
      )
  }
}

function parseLine(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new ProtocolError('malformed', 'the request is no JSON')
  }
  if (isRecord(value)) return value
  throw new ProtocolError('malformed', 'the request is no JSON object')
}

/** @throws ProtocolError `bad-filter` */
function parseFilter(text: string): Filter {
  try {
    return new Filter(text)
  } catch (error) {
    if (error instanceof ConfigError) throw new ProtocolError('bad-filter', reasonOf(error), { cause: error })
    throw error
  }
}
