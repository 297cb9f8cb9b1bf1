import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Bpdu, decodeBpdu, encodeBpdu } from '#net/stp/bpdu.ts'
import { bridgeId, compareVectors, isSuperior, portId } from '#net/stp/priority.ts'

const SOURCE = 0x0200_0000_0a01n
const HEADER = '0180c200000002000000 0a01'.replace(' ', '')

const RST: Bpdu = {
  type: 'rst',
  role: 'designated',
  topologyChange: true,
  topologyChangeAck: false,
  proposal: true,
  agreement: false,
  learning: true,
  forwarding: false,
  priority: {
    root: bridgeId(4096, 0x0200_0000_0001n),
    cost: 20_000,
    bridge: bridgeId(32_768, SOURCE),
    port: portId(128, 5),
  },
  times: { messageAge: 256, maxAge: 20 * 256, helloTime: 2 * 256, forwardDelay: 15 * 256 },
}
const BODY = '1000020000000001 00004e20 8000020000000a01 8005 0100 1400 0200 0f00'.replaceAll(' ', '')
const CONFIG: Bpdu = {
  ...RST,
  type: 'config',
  topologyChangeAck: true,
  proposal: false,
  learning: false,
}

const padded = (hex: string): string => hex.padEnd(120, '0')
const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')
const read = (hex: string): Bpdu | null => decodeBpdu(Buffer.from(hex, 'hex'), 0, hex.length / 2)

describe('a BPDU', () => {
  it.each([
    ['RST', RST, `${HEADER}0027424203000002021f${BODY}00`],
    ['Configuration', CONFIG, `${HEADER}00264242030000000081${BODY}`],
  ])('%s has the known octets', (_, bpdu, hex) => {
    expect(hexOf(encodeBpdu(bpdu, SOURCE))).toBe(padded(hex))
    expect(read(padded(hex))).toEqual(bpdu)
    // Without the padding too, at another place of the memory.
    const octets = Buffer.from(`ffff${hex}`, 'hex')
    expect(decodeBpdu(octets, 2, octets.length)).toEqual(bpdu)
  })

  it('Topology Change Notification has four octets', () => {
    const hex = `${HEADER}000742420300000080`
    expect(hexOf(encodeBpdu({ ...RST, type: 'tcn' }, SOURCE))).toBe(padded(hex))
    expect(read(hex)).toMatchObject({ type: 'tcn', topologyChange: false })
  })

  it.each([
    ['RST', `${HEADER}0027424203000002021f${BODY}00`],
    ['Configuration', `${HEADER}00264242030000000081${BODY}`],
    ['TCN', `${HEADER}000742420300000080`],
  ])('%s cut short anywhere is none', (_, hex) => {
    for (let octets = 14; octets < hex.length / 2; octets++) expect(read(hex.slice(0, 2 * octets))).toBeNull()
    expect(read(hex)).not.toBeNull()
  })

  it.each([
    ['another protocol', `${HEADER}0027424203000102021f${BODY}00`],
    ['an unknown type', `${HEADER}0027424203000002011f${BODY}00`],
    ['RST with version 1', `${HEADER}0027424203000001021f${BODY}00`],
    ['another LLC', `${HEADER}0027aaaa03000002021f${BODY}00`],
    ['a length that says less', `${HEADER}0026424203000002021f${BODY}00`],
    ['another group address', `0180c2000001020000000a010027424203000002021f${BODY}00`],
    [
      'a Configuration BPDU as old as it may get',
      `${HEADER}00264242030000000081${BODY.replace('01001400', '14001400')}`,
    ],
  ])('with %s is none', (_, hex) => {
    expect(read(hex)).toBeNull()
  })

  it('of a later version is read as RST, one with an unknown role as Configuration (9.2.9)', () => {
    expect(read(`${HEADER}0027424203000003021f${BODY}00`)).toEqual(RST)
    expect(read(`${HEADER}00274242030000020213${BODY}00`)).toMatchObject({
      type: 'config',
      role: 'designated',
    })
  })

  it('is read back as it was written', () => {
    const flag = fc.boolean()
    const time = fc.nat(0xffff)
    const id = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
    const bpdu: fc.Arbitrary<Bpdu> = fc.record({
      type: fc.constant('rst' as const),
      role: fc.constantFrom('alternate' as const, 'root' as const, 'designated' as const),
      topologyChange: flag,
      topologyChangeAck: flag,
      proposal: flag,
      agreement: flag,
      learning: flag,
      forwarding: flag,
      priority: fc.record({ root: id, cost: fc.nat(0xffff_ffff), bridge: id, port: fc.nat(0xffff) }),
      times: fc.record({ messageAge: time, maxAge: time, helloTime: time, forwardDelay: time }),
    })
    fc.assert(
      fc.property(bpdu, (one) => {
        const octets = encodeBpdu(one, SOURCE)
        expect(decodeBpdu(octets, 0, octets.length)).toEqual(one)
      }),
    )
  })

  it('is found in any octets or not, and nothing throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 14, maxLength: 80 }), fc.boolean(), (octets, isForBridges) => {
        if (isForBridges)
          octets.set(Buffer.from('0180c200000002000000000100264242030000', 'hex').subarray(0, octets.length))
        const bpdu = decodeBpdu(octets, 0, octets.length)
        expect(bpdu === null || isForBridges).toBe(true)
      }),
    )
  })
})

describe('priority vectors (17.6)', () => {
  const vector = { root: 10n, cost: 20, bridge: bridgeId(4096, 7n), port: portId(128, 3) }

  it.each([
    [{ root: 9n, cost: 99 }, -1],
    [{ root: 11n, cost: 0 }, 1],
    [{ cost: 19, bridge: 1n << 62n }, -1],
    [{ bridge: bridgeId(4096, 6n), port: 0xffff }, -1],
    [{ bridge: bridgeId(8192, 6n) }, 1],
    [{ port: portId(128, 2) }, -1],
    [{ port: portId(144, 2) }, 1],
    [{}, 0],
  ])('are compared part by part: %o', (change, sign) => {
    expect(Math.sign(compareVectors({ ...vector, ...change }, vector))).toBe(sign)
    expect(Math.sign(compareVectors(vector, { ...vector, ...change }))).toBe(sign === 0 ? 0 : -sign)
  })

  it('are superior when better, or from the same port of the same bridge whatever they say', () => {
    expect(isSuperior({ ...vector, root: 9n }, vector)).toBe(true)
    expect(isSuperior({ ...vector, root: 11n }, vector)).toBe(true)
    expect(
      isSuperior({ ...vector, root: 11n, bridge: bridgeId(8192, 7n), port: portId(16, 3) }, vector),
    ).toBe(true)
    expect(isSuperior({ ...vector, root: 11n, port: portId(128, 4) }, vector)).toBe(false)
    expect(isSuperior({ ...vector, root: 11n, bridge: bridgeId(4096, 8n) }, vector)).toBe(false)
    expect(isSuperior(vector, vector)).toBe(false)
  })
})
