import { expect, it } from 'vitest'
import { lowerSegmentSize, segmentSizeOf } from '#agent/way/segment-size.ts'

it('goes down by steps, for each address by itself, and no further than there is sense in', () => {
  expect(segmentSizeOf('192.0.2.1')).toBeUndefined()
  expect(lowerSegmentSize('192.0.2.1')).toBe(1200)
  expect(lowerSegmentSize('192.0.2.1')).toBe(536)
  expect(lowerSegmentSize('192.0.2.1')).toBeUndefined()
  expect([segmentSizeOf('192.0.2.1'), segmentSizeOf('2001:db8::1')]).toEqual([536, undefined])
})

it('forgets the oldest of many', () => {
  lowerSegmentSize('198.51.100.1')
  for (let i = 0; i < 100; i++) lowerSegmentSize(`203.0.113.${i}`)
  expect([segmentSizeOf('198.51.100.1'), segmentSizeOf('203.0.113.99')]).toEqual([undefined, 1200])
})
