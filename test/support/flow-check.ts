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

/** Frames sent at a time. */
const CHUNK = 200
/** For all of them to arrive; those that do not are missed later. */
const LONGEST_WAIT_MS = 1000
/** Time between frames, which leaves every queue on the way short. */
const GAP_US = 150
const DEADLINE_MS = 20_000
let marks = 0

/** A frame like no other: what comes before it on the way has arrived when it arrives, as far as nothing overtakes. */
const mark = (): Buffer => makeFrame({ type: 0x88b6, length: 60, source: '02:00:00:00:00:99', seed: ++marks })

/**
 * Sends frames from one end, in order, and waits for their end.
 * @param pauseMs  before the last frame, where flows take turns, so that it overtakes none
 * @returns what crossed each end's interface; it is to be the same
 */
export async function carry(
  from: End,
  to: End,
  frames: readonly Buffer[],
  pauseMs = 0,
): Promise<{ left: Buffer[]; arrived: Buffer[] }> {
  const here = await Capture.start(from.at, from.nic)
  const there = await Capture.start(to.at, to.nic)
  for (let i = 0; i < frames.length; i += CHUNK) {
    await sendFrames(from.at, from.nic, frames.slice(i, i + CHUNK), GAP_US)
    await arrivalOf(there, Math.min(i + CHUNK, frames.length))
  }
  await new Promise((resolve) => setTimeout(resolve, pauseMs))
  const last = mark()
  await sendFrames(from.at, from.nic, [last])
  await until('the last frame', () => there.frames().some((frame) => frame.equals(last)), DEADLINE_MS)
  const others = async (capture: Capture): Promise<Buffer[]> =>
    (await capture.stop()).filter((frame) => !frame.equals(last))
  return { left: await others(here), arrived: await others(there) }
}

/** Frames that are sent faster than a loaded machine carries them would lose some to latency control. */
async function arrivalOf(capture: Capture, count: number): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT_MS
  while (capture.frames().length < count && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 30))
}

/**
 * What differs between frames sent and frames seen, one line each, a few at most; empty when nothing does.
 * @param flowOf  order is looked at among the frames for which it gives the same; among all when left out
 */
export function differences(
  sent: readonly NamedFrame[],
  seen: readonly Buffer[],
  flowOf: (frame: Buffer) => number = () => 0,
): string[] {
  const waiting = new Map(sent.map(({ name, frame }) => [frame.toString('latin1'), name]))
  const order: NamedFrame[] = []
  const wrong: string[] = []
  for (const frame of seen) {
    const name = waiting.get(frame.toString('latin1'))
    if (name === undefined)
      wrong.push(`altered or twice: ${frame.length} octets ${frame.toString('hex', 0, 48)}`)
    else order.push({ name, frame })
    waiting.delete(frame.toString('latin1'))
  }
  for (const name of waiting.values()) wrong.push(`lost: ${name}`)
  const arrived = new Set(order.map(({ name }) => name))
  const expected = new Map<number, string[]>()
  for (const { name, frame } of sent) {
    if (!arrived.has(name)) continue
    const flow = flowOf(frame)
    expected.set(flow, [...(expected.get(flow) ?? []), name])
  }
  for (const { name, frame } of order) {
    const next = expected.get(flowOf(frame))?.shift()
    if (next === name) continue
    wrong.push(`out of order: ${name} came in the place of ${next}`)
    break
  }
  return wrong.slice(0, 20)
}
