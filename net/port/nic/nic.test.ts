import { expect, it, vi } from 'vitest'
import { PortCounters } from '#net/port/counters.ts'
import { SendBatch } from '#net/port/message-batch.ts'
import { openNic } from '#net/port/nic/nic.ts'

it('gives its memory back when there is no such interface', () => {
  const free = vi.spyOn(SendBatch.prototype, 'free')
  const sink = { frame: () => {}, batchEnd: () => {}, portState: () => {} }
  expect(() => openNic({ interface: 'no-such-nic', counters: new PortCounters(), sink })).toThrow(
    'cannot open no-such-nic: no such device (`ip link` lists the interfaces)',
  )
  expect(free).toHaveBeenCalledOnce()
})
