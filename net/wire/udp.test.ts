import { expect, it } from 'vitest'
import { putUdp } from '#net/wire/udp.ts'

it('putUdp writes the header', () => {
  const b = new Uint8Array(9).fill(0xee)
  expect(putUdp(b, 1, 53, 0xc000, 0x0123)).toBe(9)
  expect(Buffer.from(b).toString('hex')).toBe('ee0035c00001230000')
})
