import { describe, expect, it } from 'vitest'
import type { ProtocolError } from '#net/base/errors.ts'
import { byeRecord, decodeBye } from '#net/tunnel/bye.ts'
import {
  controlRecord,
  RECORD_BYE,
  RECORD_FRAME,
  RECORD_HELLO,
  RECORD_PING,
  RECORD_PONG,
} from '#net/tunnel/framing.ts'
import { decodeHello, encodeHello, type Hello } from '#net/tunnel/hello.ts'
import { TunnelSession } from '#net/tunnel/session.ts'

const hello = (change: Partial<Hello> = {}): Hello => ({
  version: 1,
  name: 'site',
  largestFrame: 9216,
  superFrames: true,
  latencyControl: true,
  keepaliveMs: 2000,
  key: 'k',
  ...change,
})
const FRAME = controlRecord(RECORD_FRAME, new Uint8Array(24))

/** A session with its shell: what it transmits and what it tells, at a time of the test's. */
class End {
  readonly session: TunnelSession
  readonly told: string[] = []
  reason: ProtocolError | undefined
  now: number
  frameOctets = 0

  constructor(own: Hello = hello(), now = 1000) {
    this.now = now
    this.session = new TunnelSession(
      own,
      {
        onHello: (peer) => this.told.push(`hello ${peer.name}`),
        onFrames: (_chunk, start, end) => {
          this.frameOctets += end - start
          this.told.push('frames')
        },
        onPong: () => this.told.push('pong'),
        onEnd: (reason) => {
          this.reason = reason
          this.told.push(`end ${reason.code}`)
        },
      },
      now,
    )
  }

  receive(octets: Uint8Array): void {
    this.session.receive(octets, 0, octets.length, this.now)
  }

  transmitted(): Uint8Array[] {
    const records: Uint8Array[] = []
    for (let one = this.session.pollTransmit(); one; one = this.session.pollTransmit()) records.push(one)
    return records
  }

  /** Types of what it transmits. */
  types(): number[] {
    return this.transmitted().map((one) => one[0] ?? -1)
  }

  /** Lets time pass as a shell does, waking at each deadline. */
  pass(ms: number): void {
    const until = this.now + ms
    for (
      let deadline = this.session.nextDeadline();
      deadline <= until;
      deadline = this.session.nextDeadline()
    ) {
      this.now = Math.max(this.now, deadline)
      this.session.handleTimeout(this.now)
    }
    this.now = until
  }
}

/** An end that has greeted and been greeted. */
function opened(own: Hello = hello(), peer: Hello = hello({ name: 'hub' })): End {
  const end = new End(own)
  end.session.greet()
  end.receive(controlRecord(RECORD_HELLO, encodeHello(peer)))
  end.transmitted()
  end.told.length = 0
  return end
}

function carry(from: End, to: End): void {
  for (const record of from.transmitted()) to.receive(record)
}

describe('hello', () => {
  it('is JSON that names the protocol; unknown fields are ignored', () => {
    const text: object = JSON.parse(new TextDecoder().decode(encodeHello(hello())))
    expect(text).toMatchObject({ protocol: 'hybridge', version: 1, superFrames: true })
    const later = new TextEncoder().encode(JSON.stringify({ ...text, colour: 'green' }))
    expect(decodeHello(later)).toEqual(hello())
  })

  it.each([
    ['another version', { version: 2 }, 'version', /version 2 .*version 1/],
    ['no version', { version: undefined }, 'version', /absent/],
    ['another protocol', { protocol: 'vde' }, 'hello', /does not speak/],
    ['a keepalive of nothing', { keepaliveMs: 0 }, 'hello', /keepaliveMs is 0 \(allowed: 100 to 60000\)/],
    ['a keepalive that is a text', { keepaliveMs: '2000' }, 'hello', /keepaliveMs/],
    ['a largest frame of nothing', { largestFrame: 10 }, 'hello', /largestFrame/],
    ['a name that is too long', { name: 'x'.repeat(256) }, 'hello', /name/],
    ['a key that is no text', { key: 7 }, 'hello', /key/],
    ['a token that is too long', { token: 'x'.repeat(65) }, 'hello', /token/],
    ['buffers of nothing', { sendOctets: 0 }, 'hello', /sendOctets is 0/],
  ])('refuses %s', (_what, change, code, message) => {
    const fields = { protocol: 'hybridge', ...hello(), ...change }
    const octets = new TextEncoder().encode(JSON.stringify(fields))
    expect(() => decodeHello(octets)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })

  it.each(['', '{', 'null', '[]', '"hybridge"', '\u00ff'])('refuses %j', (text) => {
    expect(() => decodeHello(Buffer.from(text, 'latin1'))).toThrow(expect.objectContaining({ code: 'hello' }))
  })

  it('takes control characters out of names', () => {
    expect(decodeHello(encodeHello(hello({ name: 'a\u001b[2J\nb' }))).name).toBe('a?[2J?b')
  })
})

describe('bye', () => {
  it('carries code and message, without control characters', () => {
    const record = byeRecord('taken-over', 'by\u0007 another')
    expect(record[0]).toBe(RECORD_BYE)
    expect(decodeBye(record.subarray(4))).toMatchObject({ code: 'taken-over', message: 'by  another' })
  })

  it('is a bye whatever it says', () => {
    expect(decodeBye(Buffer.from('no JSON'))).toMatchObject({ code: 'bye' })
    expect(decodeBye(Buffer.from('null'))).toMatchObject({ code: 'bye' })
    expect(decodeBye(Buffer.from('{"code":7}'))).toMatchObject({ code: '', message: '' })
  })
})

describe('TunnelSession', () => {
  it('says nothing before it is told to greet', () => {
    const end = new End()
    expect(end.types()).toEqual([])
    end.session.greet()
    expect(end.types()).toEqual([RECORD_HELLO])
  })

  it('gives the token that it is told to', () => {
    const [agent, hub] = [new End(), new End(hello({ name: 'hub', sendOctets: 4e6 }))]
    hub.session.greet({ token: 'secret' })
    for (const record of hub.transmitted()) agent.receive(record)
    expect(agent.session.peer).toMatchObject({ token: 'secret', sendOctets: 4e6 })
  })

  it('opens with the peer’s hello, and then takes frames', () => {
    const [agent, hub] = [new End(), new End(hello({ name: 'hub' }))]
    agent.session.greet()
    carry(agent, hub)
    expect(hub.told).toEqual(['hello site'])
    hub.session.greet()
    carry(hub, agent)
    expect(agent.told).toEqual(['hello hub'])
    expect(agent.session.peer?.name).toBe('hub')
    agent.receive(FRAME)
    expect(agent.frameOctets).toBe(FRAME.length)
  })

  it.each<[string, Uint8Array, string]>([
    ['frames', FRAME, 'hello'],
    ['a ping', controlRecord(RECORD_PING, new Uint8Array(8)), 'hello'],
    ['an unknown record', controlRecord(99, new Uint8Array(2)), 'hello'],
    [
      'a hello of another version',
      controlRecord(RECORD_HELLO, encodeHello(hello({ version: 3 }))),
      'version',
    ],
    ['a hello that is none', controlRecord(RECORD_HELLO, new Uint8Array(3)), 'hello'],
    ['a length out of bounds', Uint8Array.of(RECORD_FRAME, 255, 255, 255), 'frame-length'],
  ])('ends on %s before the hello, and says why', (_what, octets, code) => {
    const end = new End()
    end.receive(octets)
    expect(end.told).toEqual([`end ${code}`])
    const [bye] = end.transmitted()
    expect(decodeBye(bye?.subarray(4) ?? new Uint8Array())).toMatchObject({ code })
    expect(end.session.ended).toBe(true)
    expect(end.session.nextDeadline()).toBe(Infinity)
  })

  it('ends on a second hello', () => {
    const end = opened()
    end.receive(controlRecord(RECORD_HELLO, encodeHello(hello())))
    expect(end.told).toEqual(['end hello'])
  })

  it('skips records of later versions', () => {
    const end = opened()
    end.receive(controlRecord(99, new Uint8Array(100)))
    end.receive(FRAME)
    expect(end.told).toEqual(['frames'])
  })

  it('ends with the peer’s bye, once, and does not answer it', () => {
    const end = opened()
    end.receive(new Uint8Array(Buffer.concat([byeRecord('hub-stopping', 'soon back'), FRAME, FRAME])))
    expect(end.told).toEqual(['end hub-stopping'])
    expect(end.reason?.message).toBe('soon back')
    end.session.bye('late', 'too late')
    end.receive(FRAME)
    end.pass(100_000)
    expect(end.told).toEqual(['end hub-stopping'])
    expect(end.types()).toEqual([])
  })

  it('says its own bye behind what was to be sent', () => {
    const end = new End()
    end.session.greet()
    end.session.bye('leave', 'the agent was ended')
    expect(end.types()).toEqual([RECORD_HELLO, RECORD_BYE])
    expect(end.told).toEqual(['end leave'])
  })

  it('waits 5 s for the peer’s hello', () => {
    const end = new End()
    end.session.greet()
    end.pass(4999)
    expect(end.told).toEqual([])
    end.pass(1)
    expect(end.told).toEqual(['end hello'])
  })

  it('pings at once and then at every keepalive, and measures the round trip', () => {
    const end = opened()
    expect(end.session.roundTripMs).toBeNaN()
    expect(end.session.nextDeadline()).toBeLessThanOrEqual(end.now)
    end.pass(0)
    const [ping, ...others] = end.transmitted()
    expect(others).toEqual([])
    end.now += 35
    end.receive(controlRecord(RECORD_PONG, ping?.subarray(4) ?? new Uint8Array()))
    expect(end.session.roundTripMs).toBe(35)
    end.pass(1964)
    expect(end.types()).toEqual([])
    end.pass(1)
    expect(end.types()).toEqual([RECORD_PING])
  })

  it('does not believe a pong that cannot be true', () => {
    const end = opened()
    for (const payload of [new Uint8Array(8).fill(0xff), new Uint8Array(3), new Uint8Array(0)])
      end.receive(controlRecord(RECORD_PONG, payload))
    expect(end.session.roundTripMs).toBeNaN()
    expect(end.told).toEqual([])
  })

  it('loses a peer that is silent for three of the peer’s keepalives', () => {
    const end = opened(hello(), hello({ keepaliveMs: 500 }))
    end.pass(1499)
    expect(end.told).toEqual([])
    end.pass(1)
    expect(end.told).toEqual(['end lost'])
    expect(end.reason?.message).toBe('nothing heard from the peer for 1.5 s')
  })

  it('keeps a peer that says anything at all', () => {
    const end = opened()
    for (let i = 0; i < 20; i++) {
      end.pass(5999)
      end.receive(FRAME.subarray(0, 3)) // not even a whole header
      end.receive(FRAME.subarray(3))
    }
    expect(end.session.ended).toBe(false)
    expect(end.frameOctets).toBe(20 * FRAME.length)
  })

  it('in doubt asks at once, and is patient for no longer than it is told', () => {
    const end = opened()
    end.pass(500)
    end.types()
    end.session.probe(end.now, 2500)
    expect(end.types()).toEqual([RECORD_PING])
    end.pass(100)
    end.receive(FRAME) // may have come before, and have waited unread
    end.pass(2499)
    expect(end.session.ended).toBe(false)
    end.pass(1)
    expect(end.told).toEqual(['frames', 'end lost'])
    expect(end.reason?.message).toBe('nothing heard from the peer for 2.5 s')
  })

  it('doubts no more when the answer is here, and not when an older one is', () => {
    const end = opened()
    end.pass(0)
    const [older] = end.transmitted()
    end.pass(100)
    end.session.probe(end.now, 2500)
    const [ping] = end.transmitted()
    const answer = (to: Uint8Array | undefined): void =>
      end.receive(controlRecord(RECORD_PONG, to?.subarray(4) ?? new Uint8Array()))
    answer(older)
    expect(end.session.nextDeadline()).toBeLessThanOrEqual(end.now + 2500)
    end.pass(1000)
    answer(ping)
    end.pass(5999)
    expect(end.session.ended).toBe(false)
    end.pass(1)
    expect(end.reason?.message).toBe('nothing heard from the peer for 6.0 s')
  })

  it('answers the last of a flood of pings only', () => {
    const end = opened()
    const flood = Array.from({ length: 1000 }, (_, i) =>
      controlRecord(RECORD_PING, Uint8Array.of(0, 0, 0, 0, 0, 0, i >> 8, i)),
    )
    end.receive(new Uint8Array(Buffer.concat(flood)))
    const answers = end.transmitted()
    expect(answers).toEqual([
      controlRecord(RECORD_PONG, Uint8Array.of(0, 0, 0, 0, 0, 0, 999 >> 8, 999 & 255)),
    ])
  })

  it('answers no more octets than a stamp has', () => {
    const end = opened()
    end.receive(controlRecord(RECORD_PING, new Uint8Array(4000)))
    expect(end.transmitted()[0]).toHaveLength(4 + 8)
  })

  it('holds few pings for a shell that cannot write', () => {
    const end = opened()
    for (let i = 0; i < 1000; i++) {
      end.pass(2000)
      end.receive(FRAME)
    }
    expect(end.types().length).toBeLessThanOrEqual(8)
    expect(end.session.ended).toBe(false)
  })
})
