/**
 * What an operator may change on bridges and ports while they run: `hybridge bridge port set private0 3 mode=access,vlan=10`.
 * A setting is a name, text to a change, and text of what holds.
 */
import { ConfigError, ProtocolError, reasonOf } from '#net/base/errors.ts'
import { DEFAULT_AGEING_MS } from '#net/switch/mac-table.ts'
import { formatBlock, parseBlock } from '#net/switch/guards/block.ts'
import { guardSettings, setGuard } from '#net/switch/guards/port-guard.ts'
import { parseStorm } from '#net/switch/guards/storm.ts'
import { formatMirror, type MirrorSource, parseMirror } from '#net/switch/mirror.ts'
import { formatPortMode, parsePortMode } from '#net/switch/port-mode.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import { RECEIVED, SENT } from '#net/switch/observer.ts'
import type { Bridge } from '#hub/fabric/bridge.ts'
import { impairLink } from '#net/impairment/impair-link.ts'
import { parseAgeing, parseLink } from '#hub/fabric/check-settings.ts'
import { parseLoopProtection } from '#hub/fabric/loop-setting.ts'
import {
  readRstpBridge,
  readRstpPort,
  RSTP_BRIDGE_OPTIONS,
  RSTP_PORT_OPTIONS,
  withRstpBridge,
  withRstpPort,
} from '#hub/fabric/rstp-settings.ts'

export interface PortTarget {
  readonly bridge: Bridge
  readonly entry: SwitchPort
}

interface Setting<T> {
  /**
   * @param wanted  all that is set together
   * @returns makes the change, and cannot fail @throws ConfigError that names value and what is allowed
   */
  parse(text: string, target: T, wanted: Readonly<Record<string, string>>): () => void
  /** @returns text that `parse` takes, undefined for the default */
  read(target: T): string | undefined
}

type Settings<T> = Readonly<Record<string, Setting<T>>>

const rstpPort = (name: (typeof RSTP_PORT_OPTIONS)[number]): Setting<PortTarget> => ({
  parse: (_, { bridge: { spanningTree }, entry }, wanted) => {
    const next = withRstpPort(spanningTree.portSettings(entry), wanted)
    return () => spanningTree.setPort(entry, next)
  },
  read: ({ bridge: { spanningTree }, entry }) => readRstpPort(spanningTree.portSettings(entry), name),
})

const rstpBridge = (name: (typeof RSTP_BRIDGE_OPTIONS)[number]): Setting<Bridge> => ({
  parse: (_, { spanningTree }, wanted) => {
    const next = withRstpBridge(spanningTree.settings, wanted)
    return () => {
      spanningTree.settings = next
    }
  },
  read: ({ spanningTree }) => readRstpBridge(spanningTree.settings, name),
})

export const PORT_SETTINGS: Settings<PortTarget> = {
  mode: {
    parse: (text, { bridge, entry }) => {
      const mode = parsePortMode(`mode=${text}`)
      return () => bridge.switch.setMode(entry, mode)
    },
    read: ({ entry }) =>
      entry.mode.kind === 'transparent' ? undefined : formatPortMode(entry.mode).slice('mode='.length),
  },
  ...Object.fromEntries(RSTP_PORT_OPTIONS.map((name) => [name, rstpPort(name)])),
  mcheck: {
    parse: (text, { bridge, entry }) => {
      if (text !== 'now') throw new ConfigError(`mcheck=${text} is not valid: it is now`)
      return () => bridge.spanningTree.checkMigration(entry)
    },
    read: () => undefined,
  },
  storm: {
    parse: (text, { entry }) => {
      const storm = parseStorm(text)
      return () => setGuard(entry, { storm })
    },
    read: ({ entry }) => guardSettings(entry).storm?.toString(),
  },
  block: {
    parse: (text, { entry }) => {
      const block = parseBlock(text)
      return () => setGuard(entry, { block })
    },
    read: ({ entry }) => {
      const { block } = guardSettings(entry)
      return block === 0 ? undefined : formatBlock(block)
    },
  },
  mirror: {
    parse: (text, { bridge, entry }) => {
      const sources = parseMirror(text)
      refuseBadMirror(sources, { bridge, entry })
      return () => {
        bridge.switch.setMirror(entry, sources)
        bridge.spanningTree.portChanged(entry)
      }
    },
    read: ({ bridge, entry }) => {
      const sources = bridge.switch.mirrorSources(entry)
      return sources.length === 0 ? undefined : formatMirror(sources)
    },
  },
  link: {
    parse: (text, { entry }) => {
      const isDown = parseLink(text)
      return () => entry.setLinkDown(isDown)
    },
    read: ({ entry }) => (entry.isLinkDown ? 'down' : undefined),
  },
  // Both directions; each is read by itself.
  impair: {
    parse: (text, { bridge, entry }) => impairLink(text, bridge.links, entry, [RECEIVED, SENT]),
    read: () => undefined,
  },
  'impair-in': {
    parse: (text, { bridge, entry }) => impairLink(text, bridge.links, entry, [RECEIVED]),
    read: ({ entry }) => entry.inLink?.text,
  },
  'impair-out': {
    parse: (text, { bridge, entry }) => impairLink(text, bridge.links, entry, [SENT]),
    read: ({ entry }) => entry.outLink?.text,
  },
}

/** What is copied is never copied again. @throws ConfigError */
function refuseBadMirror(sources: readonly MirrorSource[], { bridge, entry }: PortTarget): void {
  if (sources.length > 0 && bridge.switch.isMirrored(entry))
    throw new ConfigError(`port ${entry.number} is mirrored itself: it cannot be where copies go`)
  for (const { port } of sources) {
    const source = bridge.switch.entry(port)
    if (source === null) throw new ConfigError(`cannot mirror port ${port}: ${bridge.name} has no such port`)
    if (source === entry || bridge.switch.mirrorSources(source).length > 0)
      throw new ConfigError(`cannot mirror port ${port}: it is where copies go`)
  }
}

export const BRIDGE_SETTINGS: Settings<Bridge> = {
  ageing: {
    parse: (text, { switch: { table } }) => {
      const seconds = parseAgeing(text)
      return () => {
        table.ageingMs = seconds * 1000
      }
    },
    read: ({ switch: { table } }) =>
      table.ageingMs === DEFAULT_AGEING_MS ? undefined : String(table.ageingMs / 1000),
  },
  ...Object.fromEntries(RSTP_BRIDGE_OPTIONS.map((name) => [name, rstpBridge(name)])),
  'loop-protection': {
    parse: (text, bridge) => {
      const isOn = parseLoopProtection(text)
      return () => bridge.switch.setLoopProtection(isOn)
    },
    read: (bridge) => (bridge.switch.hasLoopProtection ? undefined : 'off'),
  },
}

/** Makes all changes, or none. @throws ProtocolError `bad-setting` */
export function applySettings<T>(
  settings: Settings<T>,
  target: T,
  wanted: Readonly<Record<string, string>>,
): void {
  const changes = Object.entries(wanted).map(([name, text]) => {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
    if (!setting) {
      const known = Object.keys(settings).join(', ')
      const hint = 'mode' in wanted ? ' (what belongs to a mode follows a comma: mode=access,vlan=10)' : ''
      throw new ProtocolError('bad-setting', `unknown setting ${name}; known are ${known}${hint}`)
    }
    try {
      return setting.parse(text, target, wanted)
    } catch (error) {
      if (error instanceof ConfigError)
        throw new ProtocolError('bad-setting', reasonOf(error), { cause: error })
      throw error
    }
  })
  for (const change of changes) change()
}

/** Those that are not at their default. */
export function readSettings<T>(settings: Settings<T>, target: T): Record<string, string> {
  const read: Record<string, string> = {}
  for (const [name, setting] of Object.entries(settings)) {
    const text = setting.read(target)
    if (text !== undefined) read[name] = text
  }
  return read
}
