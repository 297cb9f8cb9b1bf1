/** Snapshots and scenes for tests of the full-screen view. */
import type { CounterReading } from '#net/port/counters.ts'
import type { Abilities } from '#net/view/action.ts'
import { Controls } from '#net/view/controls.ts'
import { glyphsOf } from '#net/view/glyphs.ts'
import { layout } from '#net/view/layout.ts'
import { ViewModel } from '#net/view/model.ts'
import type { Scene } from '#net/view/pane.ts'
import type { Snapshot, ViewLink, ViewPort, ViewTalker } from '#net/view/source.ts'

/** Milliseconds since 1970 of scenes. */
export const NOW = new Date(2026, 10, 27, 12, 3, 4).getTime()

const ABILITIES: Abilities = {
  capture: true,
  impair: true,
  isCapturing: () => false,
  captureFile: ({ name }) => `${name}.pcapng`,
}

export const makeControls = (abilities: Partial<Abilities> = {}): Controls =>
  new Controls({ ...ABILITIES, ...abilities })

const counters = (some: Partial<CounterReading> = {}): CounterReading => ({
  inFrames: 0,
  inOctets: 0,
  outFrames: 0,
  outOctets: 0,
  inDrops: {},
  outDrops: {},
  ...some,
})

export const port = (
  number: number,
  some: Partial<CounterReading> = {},
  more: Partial<ViewPort> = {},
): ViewPort => ({
  id: String(number),
  number,
  name: `nic:eth${number}`,
  description: '',
  up: true,
  counters: counters(some),
  ...more,
})

export const link = (some: Partial<ViewLink> = {}): ViewLink => ({
  name: 'bridge private0',
  address: '192.0.2.1',
  state: 'connected',
  since: NOW - 3_723_000,
  roundTripMs: 12.34,
  reconnects: 2,
  attempt: 0,
  reason: '',
  ...some,
})

export const talker = (address: string, some: Partial<ViewTalker> = {}): ViewTalker => ({
  address,
  vlan: 0,
  bridge: 'private0',
  port: 1,
  frames: 0,
  octets: 0,
  ...some,
})

/** Of one bridge, `at` seconds. */
export const snapshot = (at: number, ports: readonly ViewPort[], more: Partial<Snapshot> = {}): Snapshot => ({
  at: at * 1000,
  links: [link()],
  bridges: [{ name: 'private0', isRemote: false, ports }],
  talkers: undefined,
  ...more,
})

export function sceneOf(snapshots: readonly Snapshot[], more: Partial<Scene> = {}): Scene {
  const model = new ViewModel()
  for (const one of snapshots) model.add(one)
  return {
    title: 'hconnect 0.1.0',
    reading: model.reading,
    controls: makeControls(),
    events: [],
    error: '',
    now: NOW,
    countingSince: undefined,
    captures: new Map(),
    glyphs: glyphsOf(true),
    ...more,
  }
}

/** The picture as text, a row each, without styles and spaces at the ends. */
export const picture = (scene: Scene, width: number, height: number): string[] =>
  layout(scene, width, height).map((row) =>
    row
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  )
