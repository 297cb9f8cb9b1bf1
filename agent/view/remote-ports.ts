/**
 * The ports of the hub's bridges, asked for over the connection that there is, while somebody looks. A hub that refuses, or
 * is too old to know the question, is not asked again on that connection; then there is nothing to show.
 */
import { z } from 'zod'
import type { Remote } from '#agent/link/tunnels.ts'
import type { Answer } from '#agent/login/ask.ts'
import type { ViewBridge } from '#net/view/source.ts'

const ASK_EVERY_MS = 2000
/** On a slow path answers take a share of the time: at most one part of so many. */
const SHARE = 20
const MOST_PORTS = 1024

const count = z.number().min(0)
const drops = z.record(z.string().max(64), count)
const remotePorts = z
  .array(
    z.object({
      number: z.int().min(1),
      name: z.string().max(512),
      description: z.string().max(512),
      up: z.boolean(),
      counters: z.object({
        inFrames: count,
        inOctets: count,
        outFrames: count,
        outOctets: count,
        inDrops: drops,
        outDrops: drops,
      }),
    }),
  )
  .max(MOST_PORTS)

/** @returns undefined when the text is no answer */
export function parseRemotePorts(text: string, bridge: string): ViewBridge | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = remotePorts.safeParse(value)
  if (!parsed.success) return undefined
  const ports = parsed.data.map(({ number, name, description, up, counters }) => {
    const shown = name === '' ? description : name
    return {
      id: `${number} ${description}`,
      number,
      name: shown,
      description: shown.endsWith(description) ? '' : description,
      up,
      counters,
    }
  })
  return { name: bridge, isRemote: true, ports }
}

type NamedBridge = Pick<Remote, 'bridge' | 'fullName'>

/** @typeParam H  a connection to the hub */
export class RemotePorts<H> {
  readonly #remotes: readonly NamedBridge[]
  readonly #ask: (hub: H, command: string) => Promise<Answer | undefined>
  #known: readonly ViewBridge[] = []
  /** The connection that was asked last. */
  #hub: H | undefined
  #isRefused = false
  #isAsking = false
  /** Monotonic milliseconds. */
  #nextAt = 0

  /**
   * @param remotes  whose names in full may become known later
   * @param ask  never throws; undefined: there was no answer in time
   */
  constructor(
    remotes: readonly NamedBridge[],
    ask: (hub: H, command: string) => Promise<Answer | undefined>,
  ) {
    this.#remotes = remotes
    this.#ask = ask
  }

  /** What was answered last, and asks again when it is time. @param hub  undefined: there is no connection now */
  read(hub: H | undefined, now: number): readonly ViewBridge[] {
    if (hub !== this.#hub) {
      this.#hub = hub
      this.#known = []
      this.#isRefused = false
      // What the last connection took with it says nothing of this one.
      this.#isAsking = false
      this.#nextAt = now
    }
    if (hub !== undefined && !this.#isRefused && !this.#isAsking && now >= this.#nextAt)
      void this.#askAll(hub, now)
    return this.#known
  }

  async #askAll(hub: H, now: number): Promise<void> {
    this.#isAsking = true
    const began = performance.now()
    const known: ViewBridge[] = []
    let isRefused = false
    for (const { bridge, fullName = bridge } of this.#remotes) {
      const answer = await this.#ask(hub, `hybridge ports ${fullName} --json`)
      const ports = answer?.status === 0 ? parseRemotePorts(answer.stdout, bridge) : undefined
      if (ports !== undefined) known.push({ ...ports, at: performance.now() })
      // No answer at all may have other reasons.
      else if (answer !== undefined) isRefused = true
    }
    if (hub !== this.#hub) return
    this.#isAsking = false
    this.#nextAt = now + Math.max(ASK_EVERY_MS, SHARE * (performance.now() - began))
    this.#known = known
    this.#isRefused = isRefused && known.length === 0
  }
}
