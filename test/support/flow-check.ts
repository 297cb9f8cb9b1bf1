/** Frames sent at one place of a laboratory and seen at another, compared octet by octet. */
import { Capture } from '#test/support/capture.ts'
import { makeFrame, sendFrames } from '#test/support/frames.ts'
import type { NamedFrame } from '#test/support/frame-kinds.ts'
import type { Namespace } from '#test/support/netns.ts'
import { until } from '#test/support/process.ts'

/** An end of the way: a machine and its interface. */
export interface End {
  at: Namespace
  nic: string
}

/** Time between frames, which leaves every queue on the way short. */
const GAP_US = 150
const DEADLINE_MS = 20_000
let marks = 0

/** A frame like no other: what comes before it on the way has arrived when it arrives. */
const mark = (): Buffer => makeFrame({ type: 0x88b6, length: 60, source: '02:00:00:00:00:99', seed: ++marks })

/**
 * Sends frames from one end, in order, and waits for their end.
 * @returns what crossed each end's interface; it is to be the same
 */
export async function carry(
  from: End,
  to: End,
  frames: readonly Buffer[],
): Promise<{ left: Buffer[]; arrived: Buffer[] }> {
  const here = await Capture.start(from.at, from.nic)
  const there = await Capture.start(to.at, to.nic)
  await sendFrames(from.at, from.nic, frames, GAP_US)
  const last = mark()
  await sendFrames(from.at, from.nic, [last])
  await until('the last frame', () => there.frames().some((frame) => frame.equals(last)), DEADLINE_MS)
  const others = async (capture: Capture): Promise<Buffer[]> =>
    (await capture.stop()).filter((frame) => !frame.equals(last))
  return { left: await others(here), arrived: await others(there) }
}

/** What differs between frames sent and frames seen, one line each, a few at most; empty when nothing does. */
export function differences(sent: readonly NamedFrame[], seen: readonly Buffer[]): string[] {
  const waiting = new Map(sent.map(({ name, frame }) => [frame.toString('latin1'), name]))
  const order: string[] = []
  const wrong: string[] = []
  for (const frame of seen) {
    const name = waiting.get(frame.toString('latin1'))
    if (name === undefined)
      wrong.push(`altered or twice: ${frame.length} octets ${frame.toString('hex', 0, 48)}`)
    else order.push(name)
    waiting.delete(frame.toString('latin1'))
  }
  for (const name of waiting.values()) wrong.push(`lost: ${name}`)
  const arrived = new Set(order)
  const expected = sent.map(({ name }) => name).filter((name) => arrived.has(name))
  const early = order.findIndex((name, i) => name !== expected[i])
  if (early >= 0) wrong.push(`out of order: ${order[early]} came in the place of ${expected[early]}`)
  return wrong.slice(0, 20)
}
