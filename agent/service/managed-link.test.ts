import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LinkSettings } from '#agent/config-file.ts'
import { EXIT_HOST_KEY, EXIT_NO_NIC, ExitError } from '#agent/exit-codes.ts'
import type { SessionEvents, SessionReading } from '#agent/session.ts'
import { LinkSet } from '#agent/service/link-set.ts'
import { type LinkSession, ManagedLink } from '#agent/service/managed-link.ts'
import { PortCounters } from '#net/port/counters.ts'

const settings = { name: 'lab1', nic: 'eth1', hub: 'hub', bridge: 'private0' }

/** A session that runs until it is stopped, or fails. */
class Fake implements LinkSession {
  readonly ring = undefined
  isClosed = false
  fail: (error: Error) => void = () => {}
  stop: () => void = () => {}
  readonly events: SessionEvents
  readonly #ended: Promise<void>

  constructor(events: SessionEvents) {
    this.events = events
    this.#ended = new Promise((resolve, reject) => {
      this.stop = resolve
      this.fail = reject
    })
  }

  run(): Promise<void> {
    return this.#ended
  }

  close(): void {
    this.isClosed = true
  }

  get reading(): SessionReading {
    const link = { state: 'connected', since: 0, hub: '', bridge: 'private0', nic: 'eth1' } as const
    const counters = new PortCounters().read()
    return {
      link: { ...link, roundTripMs: 1, connections: 1, reconnects: 0, attempt: 0, reason: '' },
      local: { active: true, qnq: 0, strict: false, untaggedVlan: 0, counters },
      remotes: [],
    }
  }
}

const sessions: Fake[] = []
let refusal: Error | undefined
let onThere = (): void => {}
const log = vi.fn<(severity: string, text: string) => void>()
const make = (one: LinkSettings): ManagedLink =>
  new ManagedLink({
    settings: one,
    open: (_settings, events) => {
      if (refusal) return Promise.reject(refusal)
      const fake = new Fake(events)
      sessions.push(fake)
      return Promise.resolve(fake)
    },
    watchNic: (_nic, callback) => {
      onThere = callback
      return () => {
        onThere = () => {}
      }
    },
    log,
    random: () => 0,
    onChange: () => {},
  })

beforeEach(() => {
  vi.useFakeTimers()
  sessions.length = 0
  refusal = undefined
  log.mockClear()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a link', () => {
  it('that fails for good is opened again at a slow pace, and says the same reason once', async () => {
    refusal = new ExitError(EXIT_HOST_KEY, 'the host key has CHANGED')
    const link = make(settings)
    link.start()
    await link.tried
    expect(link.failure).toMatchObject({
      count: 1,
      reason: 'the host key has CHANGED',
      exitCode: EXIT_HOST_KEY,
    })
    await vi.advanceTimersByTimeAsync(30_000 + 60_000 + 120_000)
    expect(link.failure?.count).toBe(4)
    expect(log.mock.calls.map(([severity, text]) => [severity, text])).toEqual([
      ['error', 'failed: the host key has CHANGED; tried again in 30 s'],
    ])
    refusal = undefined
    await vi.advanceTimersByTimeAsync(240_000)
    expect([sessions.length, link.failure]).toEqual([1, undefined])
    sessions[0]?.events.onConnected('10.0.0.1', 'hub', 0)
    sessions[0]?.fail(new ExitError(EXIT_HOST_KEY, 'the host key has CHANGED'))
    await vi.advanceTimersByTimeAsync(0)
    // It had worked: the pace begins anew.
    expect(link.failure).toMatchObject({ count: 1 })
    expect(sessions[0]?.isClosed).toBe(true)
    await link.stop()
  })

  it('without its interface is opened when that comes', async () => {
    refusal = new ExitError(EXIT_NO_NIC, 'no eth1')
    const link = make(settings)
    link.start()
    await link.tried
    refusal = undefined
    onThere()
    await vi.advanceTimersByTimeAsync(0)
    expect(sessions.length).toBe(1)
    await link.stop()
    expect(sessions[0]?.isClosed).toBe(true)
  })

  it('ends while it waits, and turns as long as it does', async () => {
    refusal = new Error('a bug')
    const link = make(settings)
    link.start()
    await link.tried
    const before = link.sign
    await vi.advanceTimersByTimeAsync(10)
    expect(link.sign).not.toBe(before)
    await link.stop()
    expect(log.mock.calls.some(([, text]) => text.startsWith('a fault of the program: Error: a bug'))).toBe(
      true,
    )
  })
})

describe('a set of links', () => {
  const other = { ...settings, name: 'lab2', nic: 'eth2' }

  it('changes only what changed', async () => {
    const set = new LinkSet(make)
    expect(await set.follow([settings, other])).toEqual({ added: ['lab1', 'lab2'], changed: [], removed: [] })
    const [first, second] = sessions
    expect(await set.follow([{ ...settings }, { ...other, bridge: 'private1' }])).toEqual({
      added: [],
      changed: ['lab2'],
      removed: [],
    })
    expect([first?.isClosed, second?.isClosed, sessions.length]).toEqual([false, true, 3])
    expect(await set.follow([])).toEqual({ added: [], changed: [], removed: ['lab1', 'lab2'] })
    expect(sessions.every(({ isClosed }) => isClosed)).toBe(true)
  })

  it('tells which links have stopped turning', async () => {
    const set = new LinkSet(make)
    await set.follow([settings])
    expect(set.lifeless(0, 100_000)).toEqual([])
    expect(set.lifeless(100_000, 100_000)).toEqual([])
    expect(set.lifeless(200_000, 100_000)).toEqual(['lab1'])
    await set.stop()
  })
})
