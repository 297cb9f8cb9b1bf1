import { describe, expect, it } from 'vitest'
import type { Controls } from '#net/view/controls.ts'
import type { Key } from '#net/view/key.ts'
import { shownBridges, shownTalkers } from '#net/view/order.ts'
import { makeControls, port, sceneOf, snapshot, talker } from '#test/support/view-scene.ts'

const ports = [
  port(1, { inFrames: 10 }, { name: 'nic:eth1' }),
  port(2, { inFrames: 30, outDrops: { delay: 5 } }, { name: 'tunnel:ann@site' }),
  port(3, { inFrames: 20 }, { name: 'nic:aux', description: 'to the printer' }),
]
const talkers = [
  talker('52:54:00:00:00:01', { octets: 10, frames: 3 }),
  talker('52:54:00:00:00:02', { octets: 20, frames: 1, vlan: 7 }),
]
const { reading } = sceneOf([snapshot(1, ports, { talkers })])

const key = (name: string): Key => ({ name, text: name.length === 1 ? name : '' })
const press = (controls: Controls, ...names: readonly string[]) =>
  names.map((name) => controls.press(key(name), reading)).at(-1)
const shown = ({ filter, portOrder }: Controls): number[] =>
  shownBridges(reading, filter, portOrder).flatMap((bridge) => bridge.ports.map(({ number }) => number))

describe('keys', () => {
  it('open tabs', () => {
    const controls = makeControls()
    const tabs = ['3', 'tab', 'right', 'tab', 'left', 'S-tab', '1'].map((name) => {
      press(controls, name)
      return controls.tab
    })
    expect(tabs).toEqual(['Links', 'Talkers', 'Events', 'Overview', 'Events', 'Talkers', 'Overview'])
  })

  it('sort ports by number, name, rate, packets and drops, and the other way round', () => {
    const controls = makeControls()
    expect(shown(controls)).toEqual([1, 2, 3])
    press(controls, 's')
    expect(shown(controls)).toEqual([3, 1, 2])
    press(controls, 's', 's')
    expect(shown(controls)).toEqual([2, 3, 1])
    press(controls, 'S')
    expect(shown(controls)).toEqual([1, 3, 2])
    press(controls, 's')
    expect(shown(controls)).toEqual([2, 1, 3])
    press(controls, 's')
    expect(shown(controls)).toEqual([1, 2, 3])
  })

  it('sort talkers where they are shown', () => {
    const controls = makeControls()
    press(controls, '4', 's', 's')
    const addresses = (): string[] =>
      shownTalkers(reading, controls.filter, controls.talkerOrder).map(({ address }) => address.slice(-2))
    expect(addresses()).toEqual(['01', '02'])
    press(controls, 'S')
    expect(addresses()).toEqual(['02', '01'])
    expect(shown(controls)).toEqual([1, 2, 3])
  })

  it('filter by name, description and address while one types; Esc shows all', () => {
    const controls = makeControls()
    press(controls, '/', 'N', 'I', 'C')
    expect(shown(controls)).toEqual([1, 3])
    press(controls, 'C-u', 'p', 'r', 'i', 'n', 't', 'x', 'backspace', 'enter')
    expect([shown(controls), controls.dialog]).toEqual([[3], undefined])
    press(controls, 'escape')
    expect(shown(controls)).toEqual([1, 2, 3])
    press(controls, '/', ...'vlan7'.split(''), 'enter')
    expect(shownTalkers(reading, controls.filter, controls.talkerOrder).length).toBe(1)
  })

  it('leave the filter as it was when Ctrl-C ends the question', () => {
    const controls = makeControls()
    press(controls, '/', 'n', 'enter', '/', 'x', 'C-c')
    expect(controls.filter).toBe('n')
  })

  it('select ports, in the order that is shown, and keep to the port', () => {
    const controls = makeControls()
    const selected = (): number | undefined => controls.selectedPort(reading)?.number
    expect(selected()).toBe(1)
    press(controls, 'down')
    expect(selected()).toBe(2)
    press(controls, 's')
    expect(selected()).toBe(2)
    press(controls, 'k')
    expect(selected()).toBe(1)
    press(controls, 'pageup')
    expect(selected()).toBe(3)
    press(controls, 'end')
    expect(selected()).toBe(2)
  })

  it('go through units', () => {
    const controls = makeControls()
    const seen = Array.from({ length: 4 }, () => {
      press(controls, 'u')
      return `${controls.units.rate} ${controls.units.base}`
    })
    expect(seen).toEqual(['byte/s 1000', 'bit/s 1024', 'byte/s 1024', 'bit/s 1000'])
  })

  it('freeze and go on', () => {
    const controls = makeControls()
    expect([press(controls, 'f'), controls.isFrozen]).toEqual([undefined, true])
    expect([press(controls, 'space'), controls.isFrozen]).toEqual([{ do: 'thaw' }, false])
  })

  it.each([
    [['q', 'y'], true],
    [['q', 'q'], true],
    [['C-c', 'C-c'], true],
    [['q', 'enter'], true],
    [['q', 'x'], false],
    [['q', 'n'], false],
    [['?', 'q'], false],
  ] as const)('%j quits: %s', (names, quits) => {
    expect(press(makeControls(), ...names)).toEqual(quits ? { do: 'quit' } : undefined)
  })

  it('reset, redraw, suspend, also in a question', () => {
    expect(press(makeControls(), 'r')).toEqual({ do: 'reset' })
    expect(press(makeControls(), '/', 'C-l')).toEqual({ do: 'redraw' })
    expect(press(makeControls(), '?', 'C-z')).toEqual({ do: 'suspend' })
  })

  it('capture to the file that is named, and end the capture', () => {
    const controls = makeControls()
    press(controls, 'down', 'c')
    expect(controls.dialog).toMatchObject({ kind: 'capture', text: 'tunnel:ann@site.pcapng' })
    expect(press(controls, 'C-u', 'a', 'enter')).toMatchObject({
      do: 'capture',
      file: 'a',
      port: { number: 2 },
    })
    expect(press(controls, 'c', 'C-u', 'enter')).toBeUndefined()
    const running = makeControls({ isCapturing: () => true })
    expect(press(running, 'c')).toMatchObject({ do: 'stop-capture', port: { number: 1 } })
  })

  it('impair with the text that is typed', () => {
    const controls = makeControls()
    expect(press(controls, 'i', ...'loss=1%'.split(''), 'enter')).toMatchObject({
      do: 'impair',
      text: 'loss=1%',
    })
    expect(press(controls, 'i', 'enter')).toMatchObject({ do: 'impair', text: '' })
  })

  it('say what cannot be done', () => {
    const controls = makeControls({ capture: false })
    press(controls, 'c')
    expect(controls.message).toBe('cannot capture ports here')
    press(controls, 'down')
    expect(controls.message).toBe('')
    press(controls, '/', ...'nothing'.split(''), 'enter', 'i')
    expect(controls.message).toBe('no port to impair')
    const bridges = [{ name: 'private0', isRemote: true, ports }]
    const far = sceneOf([snapshot(1, [], { bridges })]).reading
    controls.press(key('escape'), far)
    controls.press(key('i'), far)
    expect(controls.message).toBe("cannot impair ports of another machine's switch")
  })
})
