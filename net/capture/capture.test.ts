import { describe, expect, it } from 'vitest'
import { Capture, type CaptureOptions } from '#net/capture/capture.ts'
import { Filter } from '#net/capture/filter.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { parseBlock } from '#net/switch/guards/block.ts'
import { setGuard } from '#net/switch/guards/port-guard.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { type CaptureFile, readPcapng } from '#test/support/pcapng.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

const START_US = 1_795_731_016_000_000

/** A capture, and what a reader that is never late has of it. */
class Watched {
  readonly capture: Capture
  readonly #octets: Uint8Array[] = []
  changes = 0

  constructor(
    lab: SwitchLab,
    port: number | undefined,
    options: Partial<CaptureOptions & { octets: number }> = {},
  ) {
    let timeUs = START_US
    this.capture = new Capture({
      name: 'lab',
      direction: port === undefined ? 'once' : 'both',
      onlyDrops: false,
      filter: null,
      snapLength: 65_535,
      count: 0,
      octets: 1 << 20,
      clock: (time) => {
        time[0] = timeUs++
      },
      onChange: () => this.changes++,
      ...options,
    })
    this.capture.allow(1 << 30)
    lab.bridge.observe(this.capture, port)
  }

  read(): void {
    const { ring } = this.capture
    for (let n = ring.waiting; n > 0; n = ring.waiting) {
      this.#octets.push(ring.memory.bytes.slice(ring.head, ring.head + n))
      ring.read(n)
    }
  }

  file(): CaptureFile {
    this.read()
    return readPcapng(Buffer.concat([...this.#octets, this.capture.statistics()]))
  }

  /** `1> 60` for each packet: port, direction, octets; and the comment. */
  lines(): string[] {
    const { interfaces, packets } = this.file()
    return packets.map(({ interface: of, direction, length, comment }) => {
      const name = interfaces[of]?.name.replace('lab/', '')
      return `${name}${direction === 'in' ? '>' : '<'} ${length}${comment === undefined ? '' : ` ${comment}`}`
    })
  }
}

const transparent = (ports: number): SwitchLab => new SwitchLab(Array<string>(ports).fill('mode=transparent'))

const broadcasts = (n: number): Uint8Array[] =>
  Array.from({ length: n }, () => frameOf(BROADCAST, host(1), ''))

describe('a capture', () => {
  it('of a port shows what the switch receives from it and sends to it', () => {
    const lab = transparent(3)
    const watched = new Watched(lab, 2)
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    lab.port(1).inject(frameOf(host(2), host(1), '8100.10'))
    lab.port(1).inject(frameOf(host(3), host(1), '8100.20'))
    lab.port(3).inject(frameOf(host(1), host(3), ''))
    expect(watched.lines()).toEqual(['2> 60', '2< 64', '2< 64', '2< 60'])
    const { interfaces, packets } = watched.file()
    expect(interfaces).toEqual([{ name: 'lab/2', description: 'memory:', snapLength: 65_535 }])
    expect(packets[1]).toMatchObject({
      timeUs: START_US + 1,
      octets: Buffer.from(frameOf(host(2), host(1), '8100.10')),
    })
  })

  it('of a bridge shows each frame once, and where it is lost', () => {
    const lab = new SwitchLab([
      'mode=access,vlan=10',
      'mode=trunk,tagged=all',
      { mode: 'mode=trunk,tagged=all', options: { maxFrame: 62 } },
      { mode: 'mode=tunnel,qnq=100,strict=1', options: { up: true } },
      { options: { up: false } },
    ])
    const watched = new Watched(lab, undefined)
    setGuard(lab.entry(1), { block: parseBlock('bpdu') })
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    lab.port(1).inject(frameOf(BROADCAST, host(1), '8100.20'))
    lab.port(1).inject(frameOf(0x0180_c200_0000, host(1), ''))
    lab.port(4).inject(frameOf(BROADCAST, host(4), ''))
    lab.port(2).inject(new Uint8Array(5))
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''), { flags: 255 })
    lab.port(2).inject(frameOf(BROADCAST, host(2), '8100.100'))
    expect(watched.lines()).toEqual([
      '1> 60',
      '3< 64 dropped: too-big',
      '1> 64 dropped: vlan',
      '1> 60 dropped: block-bpdu',
      '4> 60 dropped: strict',
      '2> 5 dropped: short',
      '2> 60 dropped: bad-offload',
      '2> 64',
      '4< 64 dropped: strict',
      '3< 64 dropped: too-big',
    ])
  })

  it.each([
    ['in', false, ['1> 60', '1> 64 dropped: vlan']],
    ['out', false, ['2< 60', '3< 60 dropped: link-down']],
    ['both', false, ['1> 60', '2< 60', '3< 60 dropped: link-down', '1> 64 dropped: vlan']],
    ['both', true, ['3< 60 dropped: link-down', '1> 64 dropped: vlan']],
    ['out', true, ['3< 60 dropped: link-down']],
    ['once', true, ['1> 64 dropped: vlan']],
  ] as const)(
    'shows the directions that are asked for: %s, only drops: %s',
    (direction, onlyDrops, lines) => {
      const lab = new SwitchLab([
        'mode=access,vlan=10',
        'mode=access,vlan=10',
        { mode: 'mode=access,vlan=10', options: { up: false } },
      ])
      const watched = new Watched(lab, undefined, { direction, onlyDrops })
      lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
      lab.port(1).inject(frameOf(BROADCAST, host(1), '8100.20'))
      expect(watched.lines()).toEqual(lines)
    },
  )

  it('follows ports that come and go by their number', () => {
    const lab = transparent(2)
    const [all, second] = [new Watched(lab, undefined), new Watched(lab, 2)]
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    lab.bridge.removeEntry(2)
    const entry = lab.bridge.addEntry(2)
    entry.description = 'ann@pc'
    entry.connect(lab.port(2))
    entry.frame(memoryOf(frameOf(BROADCAST, host(2), '')), 32, 92)
    for (const watched of [all, second]) {
      expect(watched.lines()).toEqual(['2> 60', '2> 60'])
      expect(watched.file().interfaces.length).toBe(2)
    }
  })

  it('names ports that say nothing', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, undefined)
    for (const entry of lab.entries) watched.capture.introduce(entry)
    expect(watched.file()).toMatchObject({ packets: [], statistics: [{ received: 0 }, { received: 0 }] })
  })

  it('takes what its filter takes, and keeps as many octets as it is told', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, 1, { filter: new Filter('vlan 10'), snapLength: 15 })
    for (const tags of ['', '8100.10', '8100.11']) lab.port(1).inject(frameOf(BROADCAST, host(1), tags))
    const { packets, statistics } = watched.file()
    expect(packets.map(({ length, octets }) => [length, octets.length])).toEqual([[64, 15]])
    expect(statistics).toEqual([{ received: 1, dropped: 0 }])
  })

  it('ends after as many packets as it is told', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, 1, { count: 2 })
    for (let i = 0; i < 5; i++) lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    expect(watched.lines().length).toBe(2)
    expect(watched.capture.isEnded).toBe(true)
    expect(watched.changes).toBe(2)
  })

  it('loses and counts what a slow reader has no room for, and the switch loses nothing', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, 1, { octets: 4096 })
    lab.port(1).injectBatch(broadcasts(100))
    watched.read()
    lab.port(1).injectBatch(broadcasts(10))
    const { packets, statistics } = watched.file()
    expect(packets.length).toBeGreaterThan(40)
    expect(statistics).toEqual([{ received: 110, dropped: 110 - packets.length }])
    expect(watched.capture.lost).toBe(110 - packets.length)
    expect(lab.take()[1]?.length).toBe(110)
  })

  it('counts what a port loses whose name found no room either', () => {
    const lab = transparent(3)
    const watched = new Watched(lab, undefined, { octets: 4096 })
    lab.port(1).injectBatch(broadcasts(100))
    lab.port(2).injectBatch([frameOf(BROADCAST, host(2), ''), frameOf(BROADCAST, host(2), '')])
    const lost = watched.capture.lost
    const { interfaces, packets, statistics } = watched.file()
    expect(interfaces.map(({ name }) => name)).toEqual(['lab/1', 'lab/2'])
    expect(statistics[1]).toEqual({ received: 2, dropped: 2 })
    expect(lost).toBe(102 - packets.length)
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    expect(watched.file().packets.at(-1)?.interface).toBe(1)
  })

  it('does as much work as is allowed, and loses and counts the rest', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, 1)
    watched.capture.allow(4000)
    lab.port(1).injectBatch(broadcasts(100))
    const found = watched.file().packets.length
    expect(found).toBeGreaterThan(5)
    expect(watched.file().statistics).toEqual([{ received: 100, dropped: 100 - found }])
    watched.capture.allow(4000)
    lab.port(1).injectBatch(broadcasts(100))
    expect(watched.file().packets.length).toBe(2 * found)
  })

  it('shows a super-frame as the frames that it stands for', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, 1, { direction: 'in' })
    const headers = '450001980001000040060000 0a000001 0a000002'
    const tcp = '9c400050 00000001 00000002 5018ffff 00000000'
    const body = Uint8Array.from([
      0x08,
      0x00,
      ...Buffer.from((headers + tcp).replaceAll(' ', ''), 'hex'),
      ...Array.from({ length: 368 }, (_, i) => i & 0xff),
    ])
    const frame = frameOf(host(2), host(1), '', body)
    const header = {
      flags: 1,
      gsoType: 1,
      headerLength: 54,
      gsoSize: 100,
      checksumStart: 34,
      checksumOffset: 16,
    }
    lab.port(1).inject(frame, header)
    const { packets, statistics } = watched.file()
    expect(packets.map(({ length }) => length)).toEqual([154, 154, 154, 122])
    expect(packets.map(({ octets }) => octets.readUInt32BE(38))).toEqual([1, 101, 201, 301])
    expect(Buffer.concat(packets.map(({ octets }) => octets.subarray(54)))).toEqual(
      Buffer.from(frame.subarray(54)),
    )
    expect(statistics).toEqual([{ received: 4, dropped: 0 }])
    // What left is whole.
    expect(lab.take()[1]?.[0]?.length).toBe(frame.length)
  })

  it('costs nothing when it is over', () => {
    const lab = transparent(2)
    const watched = new Watched(lab, 1)
    lab.bridge.unobserve(watched.capture)
    expect(lab.entries.map(({ observer }) => observer)).toEqual([null, null])
    watched.capture.free()
  })

  it('allocates nothing per frame, whether there is room or not', () => {
    const lab = transparent(2)
    for (const port of lab.ports) {
      port.flush = (): void => {}
      port.send = (): void => {}
    }
    const watched = new Watched(lab, 1, {
      filter: new Filter('ether broadcast'),
      clock: (timeUs) => {
        timeUs[0] = (timeUs[0] ?? 0) + 1
      },
      onChange: () => {},
    })
    const octets = frameOf(BROADCAST, host(1), '')
    const memory = memoryOf(octets)
    const source = lab.entry(1)
    const { ring } = watched.capture
    const step = (): void => {
      source.frame(memory, 32, 32 + octets.length)
      source.batchEnd()
      ring.read(ring.waiting)
    }
    expect(bytesPerCall(step, 20_000)).toBeLessThan(8)
    while (ring.hasRoom(200)) source.frame(memory, 32, 32 + octets.length)
    const full = (): void => {
      source.frame(memory, 32, 32 + octets.length)
      source.batchEnd()
    }
    expect(bytesPerCall(full, 20_000)).toBeLessThan(8)
  })
})

function memoryOf(octets: Uint8Array): FrameMemory {
  const memory = FrameMemory.native(256)
  memory.bytes.set(octets, 32)
  return memory
}
