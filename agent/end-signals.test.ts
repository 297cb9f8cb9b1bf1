import { afterEach, describe, expect, it } from 'vitest'
import { EndSignals } from '#agent/end-signals.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const before = SIGNALS.map((signal) => process.listeners(signal))

afterEach(() => {
  for (const [i, signal] of SIGNALS.entries())
    for (const listener of process.listeners(signal))
      if (before[i]?.includes(listener) !== true) process.off(signal, listener)
})

function start(): { signals: EndSignals; said: (string | number)[]; send: (signal: NodeJS.Signals) => void } {
  const said: (string | number)[] = []
  const signals = new EndSignals((code) => said.push(code))
  return { signals, said, send: (signal) => process.listeners(signal).at(-1)?.(signal) }
}

describe('EndSignals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('asks to end at the first signal, and ends with its code at a second %s', (signal, code) => {
    const { signals, said, send } = start()
    signals.onFirst(() => said.push('first'))
    expect(signals.hasCome).toBe(false)
    send('SIGTERM')
    expect(said).toEqual(['first'])
    send(signal)
    expect(said).toEqual(['first', code])
  })

  it('remembers a signal that comes before anybody listens', () => {
    const { signals, said, send } = start()
    send('SIGINT')
    expect(signals.hasCome).toBe(true)
    signals.onFirst(() => said.push('first'))
    expect(said).toEqual([])
    send('SIGINT')
    expect(said).toEqual([130])
  })
})
