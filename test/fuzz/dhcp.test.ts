/** Whatever a DHCP message or a host's configuration says, what reads it comes to its end, and what it makes is sound. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ManagementHost } from '#hub/fabric/management-host.ts'
import { type Lease, leaseOf } from '#hub/device/host/lease.ts'
import { readHostConfiguration } from '#hub/topology/host-configuration.ts'
import { BOOT_REPLY, BOOT_REQUEST, decodeDhcp, encodeDhcp } from '#net/wire/dhcp.ts'
import { dhcpFrame } from '#net/wire/dhcp-frame.ts'
import { budget, TIMEOUT_MS } from '#test/fuzz/budget.ts'

const isSound = ({ seconds, renewSeconds, rebindSeconds, domain, nameservers }: Lease): boolean =>
  seconds > rebindSeconds &&
  rebindSeconds >= renewSeconds &&
  /^[\w .-]*$/.test([domain, ...nameservers].join(' '))

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1)
const address = fc.nat(0xffffffff)
const option = fc.tuple(
  fc.oneof(
    fc.constantFrom(1, 3, 6, 12, 15, 50, 51, 53, 54, 55, 58, 59, 61, 121),
    fc.integer({ min: 1, max: 254 }),
  ),
  fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 1, maxLength: 1 }),
    fc.uint8Array({ maxLength: 300 }),
  ),
)
const message = fc
  .record({
    operation: fc.constantFrom(BOOT_REQUEST, BOOT_REPLY),
    transaction: address,
    seconds: fc.nat(0xffff),
    wantsBroadcast: fc.boolean(),
    clientAddress: fc.oneof(fc.constant(0), address),
    yourAddress: address,
    relayAddress: fc.oneof(fc.constant(0), address),
    mac: fc.constant(MAC),
    type: fc.nat(9),
    options: fc.array(option, { maxLength: 8 }),
  })
  .map(({ type, options, ...head }) =>
    encodeDhcp({ ...head, options: new Map([[53, Uint8Array.of(type)], ...options]) }),
  )
const octets = fc
  .record({
    whole: fc.oneof(message, fc.uint8Array({ maxLength: 400 })),
    changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
    cut: fc.oneof(fc.constant(0), fc.nat(400)),
  })
  .map(({ whole, changes, cut }) => {
    const b = whole.slice(0, Math.max(0, whole.length - cut))
    for (const [at, value] of changes) if (at < b.length) b[at] = value
    return b
  })

it(
  'DHCP messages',
  () => {
    let now = 0
    const host = new ManagementHost(
      {
        serverMac: Uint8Array.of(2, 0, 0, 0, 0, 0xfe),
        server: 0x0aff0301,
        mask: 0xffffff00,
        leases: [{ mac: '02:00:00:00:00:01', address: 0x0aff030b, hostname: 'h1' }],
      },
      () => (now += 1),
    )
    fc.assert(
      fc.property(octets, fc.nat(20), (b, before) => {
        const around = new Uint8Array(before + b.length + 20).fill(0x35)
        around.set(b, before)
        const read = decodeDhcp(around, before, before + b.length)
        // Of what lies around it nothing counts.
        expect(read).toEqual(decodeDhcp(b, 0, b.length))
        const lease = read && leaseOf(read)
        expect(lease === undefined || isSound(lease)).toBe(true)
        const frame = dhcpFrame(
          {
            sourceMac: MAC,
            destinationMac: new Uint8Array(6).fill(0xff),
            source: new Uint8Array(4),
            destination: new Uint8Array(4).fill(0xff),
            sourcePort: 68,
            destinationPort: 67,
          },
          b,
        )
        const answer = host.answer(frame, 0, frame.length)
        if (answer === null) return
        const reply = decodeDhcp(answer, 42, answer.length)
        expect(reply?.operation).toBe(BOOT_REPLY)
        expect(reply?.transaction).toBe(read?.transaction)
        expect([0, 0x0aff030b]).toContain(reply?.yourAddress)
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)

const word = fc.constantFrom(
  'interfaces',
  'em0',
  'em1',
  'addresses',
  'gateway',
  'dhcp',
  'slaac',
  'mtu',
  'routes',
  'nameservers',
  'services',
  'run',
  ': ',
  ':\n  ',
  ':\n    ',
  '\n',
  '\n  ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '"',
  "'",
  '|\n  ',
  '&a ',
  '*a',
  '!!binary ',
  '<<',
  '? ',
  '# ',
  'true',
  '1500',
  '192.0.2.1',
  '192.0.2.1/24',
  '2001:db8::1/64',
  '192.0.2.0/24 via 192.0.2.1 dev em1',
  'ssh',
  'null',
  '__proto__',
  '---\n',
  '\t',
)

it(
  'host configurations',
  () => {
    const text = fc.oneof(
      { weight: 5, arbitrary: fc.array(word, { maxLength: 60 }).map((words) => words.join('')) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    )
    fc.assert(
      fc.property(text, (source) => {
        const result = readHostConfiguration(source, ['em0', 'em1'])
        const names = 'value' in result ? Object.keys(result.value.interfaces) : []
        expect(['em0', 'em1']).toEqual(expect.arrayContaining(names))
        const lines = source.split('\n').length
        for (const { line, column, reason } of 'faults' in result ? result.faults : [])
          expect(line >= 1 && line <= lines && column >= 1 && reason !== '').toBe(true)
      }),
      budget(),
    )
  },
  TIMEOUT_MS,
)
