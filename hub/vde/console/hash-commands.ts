/** The table of learnt addresses. */
import { type MacEntry } from '#net/switch/mac-table.ts'
import { keyVid, MAX_VID } from '#net/switch/vlan.ts'
import type { Command, Menu } from '#hub/vde/console/command.ts'
import { fourDigits, parseNumber } from '#hub/vde/console/number.ts'
import { Refusal } from '#hub/vde/console/refusal.ts'
import { changeBridge } from '#hub/vde/console/settings-commands.ts'

/** The switch ages addresses out once a second. */
const AGE_SECONDS = 1
const MAC =
  /^([0-9a-f]{1,2})(?:([:.])([0-9a-f]{1,2})\2([0-9a-f]{1,2})\2([0-9a-f]{1,2})\2([0-9a-f]{1,2})\2([0-9a-f]{1,2}))$/i

function entryLine({ slot, address, vlan, port, ageMs }: MacEntry): string {
  const age = Math.floor(ageMs / 1000)
  return (
    `Hash: ${fourDigits(slot)} Addr: ${address} VLAN ${fourDigits(keyVid(vlan))} ` +
    `to port: ${String(port).padStart(3, '0')}  age ${age} secs`
  )
}

/** `02:00:00:00:00:01` of an address with colons or points, its octets of one or two digits. */
function parseMac(word: string): string {
  const [, first, , ...rest] = MAC.exec(word) ?? []
  if (first === undefined) throw new Refusal('EINVAL')
  return [first, ...rest].map((octet) => octet.padStart(2, '0').toLowerCase()).join(':')
}

export const HASH_COMMANDS: readonly (Command | Menu)[] = [
  { path: 'hash', menu: true, help: 'LEARNT ADDRESSES' },
  {
    path: 'hash/showinfo',
    help: 'size and times of the table',
    *lines({ console: { bridge } }) {
      const { table } = bridge.switch
      yield `Hash size ${table.capacity}`
      yield `GC interval ${AGE_SECONDS} secs`
      yield `GC expire ${table.ageingMs / 1000} secs`
      yield 'Min persistence 0 secs'
    },
  },
  {
    path: 'hash/setsize',
    syntax: 'N',
    help: 'its own size: forget all addresses',
    run: ({ console: { bridge }, words: [size = ''] }) => {
      const { table } = bridge.switch
      if (!(parseNumber(size) > 0)) throw new Refusal('EINVAL')
      if (parseNumber(size) !== table.capacity)
        throw new Refusal('ENOSYS', `the table holds ${table.capacity} addresses`)
      table.clear()
    },
  },
  {
    path: 'hash/setgcint',
    syntax: 'N',
    help: 'refused: every second',
    run: () => {
      throw new Refusal('ENOSYS', 'addresses are aged out every second')
    },
  },
  {
    path: 'hash/setexpire',
    syntax: 'N',
    help: 'seconds until a silent address is forgotten',
    run: ({ console: { bridge }, words: [word = ''] }) => {
      const seconds = parseNumber(word)
      if (Number.isNaN(seconds)) throw new Refusal('EINVAL')
      changeBridge(bridge, [`ageing=${seconds}`])
    },
  },
  {
    path: 'hash/setminper',
    syntax: 'N',
    help: 'refused: addresses move at once',
    run: () => {
      throw new Refusal('ENOSYS', 'an address moves to another port at once')
    },
  },
  {
    path: 'hash/print',
    help: 'list the addresses',
    *lines({ console: { bridge }, now }) {
      for (const entry of bridge.switch.table.entries(now)) yield entryLine(entry)
    },
  },
  {
    path: 'hash/find',
    syntax: 'MAC [VLAN]',
    help: 'where an address is',
    *lines({ console: { bridge }, words: [mac = '', vlan = '0'], now }) {
      const address = parseMac(mac)
      const vid = parseNumber(vlan)
      if (!(vid <= MAX_VID)) throw new Refusal('EINVAL')
      const found = bridge.switch.table
        .entries(now)
        .filter((entry) => entry.address === address && keyVid(entry.vlan) === vid)
      for (const entry of found) yield entryLine(entry)
      if (found.length === 0) throw new Refusal('ENODEV')
    },
  },
]
