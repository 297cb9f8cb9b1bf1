/** A record file of anybody's making: it is a record as we write them, or none. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatRecord, isAlive, parseRecord } from '#net/port/nic/record.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const any = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constantFrom('1', '../../etc/passwd', 'rx; reboot', '-K', 'lo', '02:00:00:00:00:01', 1e300, -1, 2 ** 60),
)
/** A field that is right, or anything. */
const or = (right: unknown): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: any })

const owner = fc.record(
  { pid: or(process.pid), startTime: or('123456'), port: or(0) },
  { requiredKeys: ['pid', 'startTime'] },
)
const record = fc.record(
  {
    boot: or('01234567-89ab-cdef-0123-456789abcdef'),
    index: or(3),
    name: or('eth1'),
    address: or('02:00:00:00:00:01'),
    mtu: fc.oneof(or({ before: 1500, set: [9000, 9216] }), fc.record({ before: any, set: any })),
    ipv6Mtu: or(1280),
    broughtUp: or(true),
    ipv6Off: or(false),
    featuresOff: fc.oneof(or(['rx-gro-list']), fc.array(any, { maxLength: 3 })),
    owners: fc.array(owner, { maxLength: 3 }),
    more: any,
  },
  { requiredKeys: ['boot', 'index', 'name', 'address', 'broughtUp', 'ipv6Off', 'featuresOff', 'owners'] },
)
const text = fc.oneof(
  fc.string(),
  fc.json(),
  fc.tuple(record, fc.nat(300)).map(([value, cut]) => JSON.stringify(value).slice(0, cut + 100)),
  record.map((value) => JSON.stringify(value)),
)

it(
  'a record file is read as one, or not at all',
  () => {
    let read = 0
    fc.assert(
      fc.property(text, (content) => {
        const found = parseRecord(content)
        if (!found) return
        read++
        expect(parseRecord(formatRecord(found))).toEqual(found)
        // Nothing that a command line or a path could take for something else.
        expect(found.address).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)
        for (const feature of found.featuresOff) expect(feature).toMatch(/^[\w-]{1,32}$/)
        for (const count of [
          found.index,
          found.mtu?.before ?? 0,
          found.ipv6Mtu ?? 0,
          ...(found.mtu?.set ?? []),
        ])
          expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
        for (const one of found.owners) expect(typeof isAlive(one)).toBe('boolean')
      }),
      budget(),
    )
    expect(read).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
