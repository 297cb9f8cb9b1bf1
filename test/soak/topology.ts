/**
 * `npm run soak -- topology`: processes of a hub with two running topologies are killed at random moments, while devices
 * ping each other and a LAN pings one of them through a tunnel. Exit code 0: all is as it should be, 1: not, 2: wrong
 * call.
 */
import { parseArgs } from 'node:util'
import { reasonOf } from '#net/base/errors.ts'
import { Random } from '#test/soak/random.ts'
import { type Kill, killAtRandom } from '#test/soak/topology-kills.ts'
import { buildTopologyLab } from '#test/soak/topology-lab.ts'
import { Lab } from '#test/support/netns.ts'
import { requireBuild } from '#test/support/product.ts'

const EXIT_USAGE = 2

function whole(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${option} ${text}: not a whole number`)
  return Number(text)
}

const progress = (text: string): void => console.error(text)

async function soak(seed: number, points: number): Promise<Kill[]> {
  progress(`soak: ${points} kills, seed ${seed}`)
  const lab = new Lab()
  try {
    const machines = await buildTopologyLab(lab)
    const kills = await killAtRandom(machines, new Random(seed), points, progress)
    const { code } = await machines.hub.stop()
    if (code !== 0) throw new Error(`the hub ended with ${code}`)
    return kills
  } catch (error) {
    progress(lab.story())
    throw error
  } finally {
    lab.close()
  }
}

function print(kills: readonly Kill[]): void {
  const slowest = new Map<string, number[]>()
  for (const { victim, backMs } of kills) slowest.set(victim, [...(slowest.get(victim) ?? []), backMs])
  for (const [victim, all] of slowest)
    console.log(
      `${String(all.length).padStart(5)}  ${victim}: back within ${(Math.max(...all) / 1000).toFixed(1)} s`,
    )
  console.log('passed')
}

let options: { seed: number; points: number; json: boolean } | undefined
try {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      json: { type: 'boolean', default: false },
    },
  })
  options = {
    seed: whole('--seed', values.seed),
    points: whole('--kills', values.kills),
    json: values.json,
  }
  requireBuild()
} catch (error) {
  console.error(`soak: ${reasonOf(error)}`)
  process.exitCode = EXIT_USAGE
}
if (options && process.exitCode === undefined)
  try {
    const { seed, points, json } = options
    const kills = await soak(seed, points)
    if (json) console.log(JSON.stringify({ soak: 'topology', seed, passed: true, kills }))
    else print(kills)
  } catch (error) {
    const cause = error instanceof Error && error.cause ? `: ${reasonOf(error.cause)}` : ''
    console.log(`FAILED: ${reasonOf(error)}${cause}`)
    process.exitCode = 1
  }
