/** VLANs, and the ports that carry them. */
import { DROP_LOOP } from '#net/port/counters.ts'
import type { PortMode } from '#net/switch/port-mode.ts'
import type { SwitchPort } from '#net/switch/switch.ts'
import { MAX_VID } from '#net/switch/vlan.ts'
import { type Call, type Command, type Menu, portOf, vlanOf } from '#hub/vde/console/command.ts'
import { vlansFixed, withoutTagged, withTagged } from '#hub/vde/console/mode-change.ts'
import { fourDigits, parseNumber } from '#hub/vde/console/number.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'

/** Gives a port another mode, unless its own is beyond VDE's VLANs. @throws Refusal */
export function changeMode({ console }: Call, entry: SwitchPort, mode: (mode: PortMode) => PortMode): void {
  const why = vlansFixed(entry.mode)
  if (why !== undefined) throw new Refusal('EINVAL', `${why}: "set/port ${entry.number} mode=..." changes it`)
  console.bridge.switch.setMode(entry, mode(entry.mode))
}

/** What spanning tree and loop protection let through; of a port that is down nothing, which VDE calls learning. */
function statusOf(entry: SwitchPort): string {
  if (!entry.isUp) return 'Learning'
  if (entry.blocked === DROP_LOOP) return 'Discarding'
  return { discarding: 'Discarding', learning: 'Learning', forwarding: 'Forwarding' }[entry.stpState]
}

/** The ports that carry a VLAN; all of them, or those that are up. */
function* vlanLines({ console: { bridge } }: Call, vid: number, all: boolean): Iterable<string> {
  yield `VLAN ${fourDigits(vid)}`
  for (const entry of bridge.switch.portList) {
    const carried = entry.vlans.carries(vid)
    if (carried === null || !(all || entry.isUp)) continue
    const active = Number(entry.isUp)
    yield (
      ` -- Port ${fourDigits(entry.number)} tagged=${Number(carried === 'tagged')} active=${active} ` +
        `status=${statusOf(entry)}`
    )
  }
}

function* print(call: Call, all: boolean): Iterable<string> {
  const { console, words } = call
  const vids = words.length === 0 ? console.vlans.list() : [vlanOf(call, words[0])]
  for (const vid of vids) yield* vlanLines(call, vid, all)
}

export const VLAN_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'vlan', menu: true, help: 'VLANS' },
  {
    path: 'vlan/create',
    syntax: 'N',
    help: 'list VLAN N, for ports to be put in it',
    run: ({ console: { vlans }, words: [word = ''] }) => {
      const vid = parseNumber(word)
      if (!(vid >= 1 && vid <= MAX_VID)) throw new Refusal('EINVAL')
      if (vlans.has(vid)) throw new Refusal('EEXIST')
      vlans.create(vid)
    },
  },
  {
    path: 'vlan/remove',
    syntax: 'N',
    help: 'list it no more; no port may be in it',
    run: (call) => {
      const vid = vlanOf(call, call.words[0])
      if (vid === 0 || call.console.vlans.named()[vid] === 1) throw new Refusal('EADDRINUSE')
      call.console.vlans.remove(vid)
    },
  },
  {
    path: 'vlan/addport',
    syntax: 'N PORT',
    help: 'the port carries VLAN N, tagged',
    run: (call) => {
      const vid = vlanOf(call, call.words[0])
      const entry = portOf(call, call.words[1])
      if (vid === 0 && entry.vlans.carries(0) === null)
        throw new Refusal('EINVAL', 'VLAN 0 is untagged: port/setvlan')
      if (vid !== 0) changeMode(call, entry, (mode) => withTagged(mode, vid))
    },
  },
  {
    path: 'vlan/delport',
    syntax: 'N PORT',
    help: 'it carries VLAN N no more',
    run: (call) => {
      const vid = vlanOf(call, call.words[0])
      const entry = portOf(call, call.words[1])
      if (entry.vlans.carries(vid) === 'untagged') throw new Refusal('EADDRINUSE')
      changeMode(call, entry, (mode) => withoutTagged(mode, vid))
    },
  },
  {
    path: 'vlan/print',
    syntax: '[N]',
    help: 'list VLANs and their ports that are up',
    lines: (call) => print(call, false),
  },
  {
    path: 'vlan/allprint',
    syntax: '[N]',
    help: 'list VLANs and all their ports',
    lines: (call) => print(call, true),
  },
]
