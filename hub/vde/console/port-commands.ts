/** Ports. */
import { TRANSPARENT, vlanColumnsText } from '#net/switch/port-mode.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import type { BridgeConsole } from '#hub/vde/console/bridge-console.ts'
import {
  type Call,
  type Command,
  flagOf,
  HIGHEST_PORT,
  type Menu,
  portNumber,
  portOf,
  printable,
  vlanOf,
} from '#hub/vde/console/command.ts'
import { endpointsOf, type Endpoint } from '#hub/vde/console/endpoint.ts'
import { PLAIN_TRUNK, withUntagged } from '#hub/vde/console/mode-change.ts'
import { fourDigits, parseNumber } from '#hub/vde/console/number.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'
import { changeMode } from '#hub/vde/console/vlan-commands.ts'

/** `port/setvlan`: no untagged frames. */
const NO_VLAN = 4095

/** Makes a port without anything plugged in, which only clients that name it get. @returns its number */
function create({ console: { bridge } }: Call, number: number | undefined): number {
  if (bridge.switch.portList.length >= HIGHEST_PORT) throw new Refusal('ENOSPC')
  if (number !== undefined && bridge.switch.entry(number)) throw new Refusal('EEXIST')
  const entry = bridge.switch.addEntry(number)
  bridge.access.set(entry.number, { allocatable: false })
  return entry.number
}

const isHub = ({ console: { bridge } }: Call): boolean =>
  bridge.switch.portList.every(({ mode }) => mode.kind === 'transparent')

function setHub({ console: { bridge }, words }: Call): void {
  const isWanted = flagOf(words[0])
  for (const entry of bridge.switch.portList) {
    const isTransparent = entry.mode.kind === 'transparent'
    if (isWanted && !isTransparent) bridge.switch.setMode(entry, TRANSPARENT)
    if (!isWanted && isTransparent) bridge.switch.setMode(entry, PLAIN_TRUNK)
  }
}

function setVlan(call: Call): void {
  const entry = portOf(call, call.words[0])
  const vid = parseNumber(call.words[1] ?? '') === NO_VLAN ? null : vlanOf(call, call.words[1])
  changeMode(call, entry, (mode) => withUntagged(mode, vid))
}

/** The number of a user or group, null for `NONE` and `ANY`. */
function accountOf(numberOf: (word: string) => number | undefined, word = ''): number | null {
  if (word === 'NONE' || word === 'ANY') return null
  const id = word === '' ? undefined : numberOf(word)
  if (id === undefined) throw new Refusal('EINVAL')
  return id
}

function* portLines(
  { bridge, facts }: BridgeConsole,
  entry: SwitchPort,
  endpoints: readonly Endpoint[],
): Iterable<string> {
  const { userName, groupName } = facts.accounts
  const { allocatable, user, group } = bridge.access.of(entry.number)
  yield (
    `Port ${fourDigits(entry.number)} ${vlanColumnsText(entry.mode)} ${entry.isUp ? '' : 'IN'}ACTIVE - ` +
      `${allocatable ? '' : 'NOT '}Unnamed Allocatable`
  )
  yield (
    ` Current User: ${nameOf(userName, endpoints[0]?.uid ?? null)} ` +
      `Access Control: (User: ${nameOf(userName, user)} - Group: ${nameOf(groupName, group)})`
  )
  const { inFrames, inOctets, outFrames, outOctets } = entry.counters
  yield ` IN:  ${counterText(inFrames, inOctets)}`
  yield ` OUT: ${counterText(outFrames, outOctets)}`
  for (const { id, module, description } of endpoints)
    yield `  -- endpoint ID ${fourDigits(id)} module ${module.padEnd(12)}: ${printable(description)}`
}

const nameOf = (name: (id: number) => string, id: number | null): string => (id === null ? 'NONE' : name(id))
const counterText = (frames: number, octets: number): string =>
  `pkts ${String(frames).padStart(10)}          bytes ${String(octets).padStart(20)}`

function* print({ console, words: [word] }: Call, all: boolean): Iterable<string> {
  const { bridge } = console
  const number = word === undefined ? undefined : portNumber(word)
  const entries = bridge.switch.portList.filter(
    (entry) => (all || entry.isUp) && (number === undefined || entry.number === number),
  )
  if (number !== undefined && entries.length === 0) throw new Refusal('ENXIO')
  const endpoints = endpointsOf(console)
  for (const entry of entries) yield* portLines(console, entry, endpoints.get(entry.number) ?? [])
}

export const PORT_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'port', menu: true, help: 'PORTS' },
  {
    path: 'port/showinfo',
    help: 'how many there may be; HUB: VLANs pass all of them',
    *lines(call) {
      yield `Numports=${HIGHEST_PORT}`
      yield `HUB=${isHub(call)}`
      yield 'counters=true'
    },
  },
  {
    path: 'port/setnumports',
    syntax: 'N',
    help: 'refused: as many as there may be',
    run: () => {
      throw new Refusal('ENOSYS', `a bridge has room for ${HIGHEST_PORT} ports`)
    },
  },
  { path: 'port/sethub', syntax: '0/1', help: '1: all transparent, 0: those without VLANs', run: setHub },
  { path: 'port/setvlan', syntax: 'N VLAN', help: 'VLAN of its untagged frames; 4095: none', run: setVlan },
  {
    path: 'port/createauto',
    help: 'make a port, the lowest that is not there',
    *lines(call) {
      yield `Port ${fourDigits(create(call, undefined))}`
    },
  },
  {
    path: 'port/create',
    syntax: 'N',
    help: 'make port N; 0: the lowest',
    run: (call) => {
      const [word = ''] = call.words
      create(call, parseNumber(word) === 0 ? undefined : portNumber(word))
    },
  },
  {
    path: 'port/remove',
    syntax: 'N',
    help: 'remove port N; nothing may be plugged in',
    run: (call) => {
      const { bridge } = call.console
      const entry = portOf(call, call.words[0])
      if (entry.port !== null || entry.isReserved) throw new Refusal('EADDRINUSE')
      bridge.switch.removeEntry(entry.number)
      bridge.access.remove(entry.number)
    },
  },
  {
    path: 'port/allocatable',
    syntax: 'N 0/1',
    help: '1: clients that name no port may get it',
    run: (call) => {
      const { number } = portOf(call, call.words[0])
      call.console.bridge.access.set(number, { allocatable: flagOf(call.words[1]) })
    },
  },
  {
    path: 'port/setuser',
    syntax: 'N user',
    help: 'who may plug in: name, number, NONE',
    run: (call) => {
      const { number } = portOf(call, call.words[0])
      const { bridge, facts } = call.console
      bridge.access.set(number, { user: accountOf(facts.accounts.userNumber, call.words[1]) })
    },
  },
  {
    path: 'port/setgroup',
    syntax: 'N group',
    help: 'whose members may plug in: name, number, NONE',
    run: (call) => {
      const { number } = portOf(call, call.words[0])
      const { bridge, facts } = call.console
      bridge.access.set(number, { group: accountOf(facts.accounts.groupNumber, call.words[1]) })
    },
  },
  {
    path: 'port/epclose',
    syntax: 'N ID',
    help: 'unplug a VDE client',
    run: (call) => {
      const { number } = portOf(call, call.words[0])
      const id = parseNumber(call.words[1] ?? '')
      if (Number.isNaN(id)) throw new Refusal('EINVAL')
      if (call.console.facts.vde()?.closeEndpoint(number, id) !== true) throw new Refusal('ENXIO')
    },
  },
  {
    path: 'port/resetcounter',
    syntax: '[N]',
    help: 'set counters to 0, of all ports or one',
    run: (call) => {
      const { bridge } = call.console
      if (call.words.length > 0) portOf(call, call.words[0]).counters.reset()
      else {
        for (const { counters } of bridge.switch.portList) counters.reset()
        bridge.switch.vlanCounters.reset()
      }
    },
  },
  {
    path: 'port/print',
    syntax: '[N]',
    help: 'list the ports that are up',
    lines: (call) => print(call, false),
  },
  { path: 'port/allprint', syntax: '[N]', help: 'list all ports', lines: (call) => print(call, true) },
]
