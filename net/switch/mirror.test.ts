import { describe, expect, it } from 'vitest'
import { ConfigError } from '#net/base/errors.ts'
import { FrameMemory } from '#net/port/frame-memory.ts'
import { formatMirror, parseMirror } from '#net/switch/mirror.ts'
import { formatPortMode, parsePortMode } from '#net/switch/port-mode.ts'
import { bytesPerCall } from '#test/support/allocation.ts'
import { BROADCAST, frameOf, host, SwitchLab } from '#test/support/switch-lab.ts'

const transparent = (ports: number): SwitchLab => new SwitchLab(Array<string>(ports).fill('mode=transparent'))

/** A lab whose last port is the destination. */
function mirrored(lab: SwitchLab, text: string): SwitchLab {
  lab.bridge.setMirror(lab.entry(lab.ports.length), parseMirror(text))
  return lab
}

describe('parseMirror', () => {
  it.each(['none', '3', '3+4', 'in:3+out:4', 'out:1024'])('reads %s and writes it again', (text) => {
    expect(formatMirror(parseMirror(text))).toBe(text)
  })

  it.each(['', '3+', 'x', 'both:3', '3+3', 'in:3+out:3', '-1', '3,4', Array(65).fill(1).join('+')])(
    'refuses %s',
    (text) => {
      expect(() => parseMirror(text)).toThrow(ConfigError)
    },
  )
})

describe('a mirror', () => {
  it('gets what its source receives and sends, and nothing else', () => {
    const lab = mirrored(transparent(4), '1')
    expect(lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))).toEqual([null, '', '', ''])
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), '8100.7'))).toEqual([
      '8100.7',
      null,
      '8100.7',
      '8100.7',
    ])
    expect(lab.tagsAfter(2, frameOf(host(1), host(2), ''))).toEqual(['', null, null, ''])
    expect(lab.tagsAfter(3, frameOf(host(2), host(3), ''))).toEqual([null, '', null, null])
    expect(lab.entry(4).counters.read()).toMatchObject({ outFrames: 3, inFrames: 0 })
  })

  it.each([
    ['in:1', [1, 0]],
    ['out:1', [0, 1]],
    ['1', [1, 1]],
  ])('copies the directions that are asked for: %s', (text, [received, sent]) => {
    const lab = mirrored(transparent(3), text)
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    expect(lab.take()[2]?.length).toBe(received)
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    expect(lab.take()[2]?.length).toBe(sent)
  })

  it('gets at once what the switch itself sends, though no batch ends', () => {
    const lab = mirrored(transparent(3), '1')
    const memory = new FrameMemory(new Uint8Array(128))
    lab.bridge.originate(lab.entry(1), memory, 32, 92)
    expect(lab.take().map((frames) => frames.length)).toEqual([1, 0, 1])
  })

  it('is in no VLAN, whatever the mode of its port', () => {
    const lab = new SwitchLab(['mode=access,vlan=10', 'mode=access,vlan=10', 'mode=access,vlan=20'])
    const untagged = (): (readonly number[])[] => lab.bridge.vlans().map((vlan) => vlan.untagged)
    expect(untagged()).toEqual([[1, 2], [3]])
    expect(mirrored(lab, '1').bridge.vlans().length).toBe(1)
    lab.bridge.setMirror(lab.entry(3), [])
    expect(untagged()).toEqual([[1, 2], [3]])
  })

  it('shows tags as they are at the source', () => {
    const lab = mirrored(
      new SwitchLab([
        'mode=access,vlan=10',
        'mode=trunk,tagged=all',
        'mode=trunk,tagged=all',
        'mode=transparent',
      ]),
      '1+2',
    )
    // Untagged as it came in, tagged as it left; each form once, though one frame was changed in place.
    expect(lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))).toEqual([
      null,
      '8100.10',
      '8100.10',
      ' | 8100.10',
    ])
    expect(lab.tagsAfter(2, frameOf(BROADCAST, host(2), '8100.10p3'))).toEqual([
      '',
      null,
      '8100.10p3',
      '8100.10p3 | ',
    ])
  })

  it('takes nothing from its port, which is in no VLAN', () => {
    const lab = mirrored(transparent(3), '1')
    expect(lab.tagsAfter(3, frameOf(BROADCAST, host(3), ''))).toEqual([null, null, null])
    expect(lab.entry(3).counters.read().inDrops).toEqual({ vlan: 1 })
    expect(lab.bridge.addresses()).toEqual([])
    lab.bridge.setMirror(lab.entry(3), [])
    expect(lab.tagsAfter(3, frameOf(BROADCAST, host(3), ''))).toEqual(['', '', null])
    expect(lab.tagsAfter(1, frameOf(BROADCAST, host(1), ''))).toEqual([null, '', ''])
  })

  it('copies what its source received and the switch dropped, but nothing malformed', () => {
    const lab = mirrored(new SwitchLab(['mode=access,vlan=10', 'mode=transparent', 'mode=transparent']), '1')
    expect(lab.tagsAfter(1, frameOf(BROADCAST, host(1), '8100.20'))).toEqual([null, null, '8100.20'])
    lab.port(1).inject(new Uint8Array(13))
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''), { flags: 255 })
    expect(lab.take()[2]).toEqual([])
  })

  it('goes on when its source leaves and comes back, and ends with its own port', () => {
    const lab = mirrored(transparent(3), '1')
    const port = lab.bridge.removeEntry(1)
    const entry = lab.bridge.addEntry(1)
    if (port !== null) entry.connect(port)
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    expect(lab.take()[2]?.length).toBe(1)
    lab.bridge.removeEntry(3)
    expect(lab.bridge.entry(1)?.observer).toBeNull()
    lab.port(2).inject(frameOf(BROADCAST, host(2), ''))
    expect(lab.take()[0]?.length).toBe(1)
  })

  it('loses what does not fit, and counts it at the destination', () => {
    const lab = mirrored(transparent(3), '1')
    const frames = Array.from({ length: 5000 }, () => frameOf(BROADCAST, host(1), ''))
    lab.port(1).injectBatch(frames)
    expect(lab.take().map((sent) => sent.length)).toEqual([0, 5000, 4096])
    expect(lab.entry(3).counters.read().outDrops).toEqual({ 'queue-full': 904 })
    lab.port(1).inject(frameOf(BROADCAST, host(1), ''))
    expect(lab.take()[2]?.length).toBe(1)
  })

  it('keeps its port’s mode for later', () => {
    const lab = mirrored(new SwitchLab(['mode=transparent', 'mode=access,vlan=10']), '1')
    lab.bridge.setMirror(lab.entry(2), [])
    expect(formatPortMode(lab.entry(2).mode)).toBe(formatPortMode(parsePortMode('mode=access,vlan=10')))
    expect(lab.bridge.ports().map(({ number }) => number)).toEqual([1, 2])
  })

  it('allocates nothing per frame', () => {
    const lab = mirrored(transparent(3), '1')
    for (const port of lab.ports) {
      port.flush = (): void => {}
      port.send = (): void => {}
    }
    const memory = FrameMemory.native(256)
    const octets = frameOf(BROADCAST, host(1), '')
    memory.bytes.set(octets, 32)
    const source = lab.entry(1)
    const step = (): void => {
      source.frame(memory, 32, 32 + octets.length)
      source.batchEnd()
    }
    expect(bytesPerCall(step, 20_000)).toBeLessThan(8)
  })
})
