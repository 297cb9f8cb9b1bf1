import { expect, it } from 'vitest'
import { ProtocolError } from '#net/base/errors.ts'
import { PortsAnswer } from '#hub/gateway/ports.ts'

const counters = {
  inFrames: 3,
  inOctets: 192,
  outFrames: 0,
  outOctets: 0,
  inDrops: { vlan: 1 },
  outDrops: {},
}
const port = {
  bridge: 'lab',
  number: 2,
  name: 'tunnel:ann@site',
  description: 'ann@site',
  up: true,
  counters,
}
const more = { mode: 'mode=transparent', untaggedVlan: 0, qnq: 0, strict: false, maxFrame: 1514 }

function answering(isHidden = false) {
  const asked: unknown[] = []
  const time = { now: 0 }
  const ask = async (bridge: string): Promise<unknown> => {
    asked.push(bridge)
    if (bridge === 'other') throw new ProtocolError('unknown-bridge', 'no bridge "other" here')
    return [{ ...port, ...more, settings: { impair: 'loss=1%' } }]
  }
  return { asked, time, answer: new PortsAnswer({ ask, isHidden, now: () => time.now }) }
}

it('tells users of ports, and nothing of settings', async () => {
  const { answer } = answering()
  expect(JSON.parse(await answer.text('lab', true))).toEqual([port])
  const text = await answer.text('lab', false)
  expect(text).toContain('tunnel:ann@site  up')
  expect(text).not.toContain('impair')
})

it('asks the fabric once a second for a bridge, however often it is asked itself', async () => {
  const { asked, time, answer } = answering()
  await Promise.all(Array.from({ length: 9 }, () => answer.text('lab', true)))
  time.now = 999
  await answer.text('lab', false)
  for (let i = 0; i < 3; i++)
    await expect(answer.text('other', true)).rejects.toThrow('no bridge "other" here')
  expect(asked).toEqual(['lab', 'other'])
  time.now = 1000
  await answer.text('lab', false)
  expect(asked).toHaveLength(3)
  // Names that are made up push others out, and no more.
  for (let i = 0; i < 100; i++) await answer.text(`lab${i}`, true)
  await answer.text('lab', true)
  expect(asked).toHaveLength(104)
})

it('is not given when the hub hides ports', async () => {
  const { asked, answer } = answering(true)
  await expect(answer.text('lab', true)).rejects.toThrow('--hide-ports')
  expect(asked).toEqual([])
})
