/** Ten processes of a hub with two topologies killed at moments that follow from a seed: test/soak/topology-lab.ts. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Random } from '#test/soak/random.ts'
import { killAtRandom } from '#test/soak/topology-kills.ts'
import { buildTopologyLab, type TopologyLab } from '#test/soak/topology-lab.ts'
import { Lab } from '#test/support/netns.ts'

const SEED = 5
const POINTS = 10

let lab: Lab
let machines: TopologyLab

beforeAll(async () => {
  lab = new Lab()
  machines = await buildTopologyLab(lab)
}, 120_000)
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(lab.story())
})
afterAll(async () => {
  await machines.hub.stop() // devices have networks of their own, which the laboratory does not know
  lab.close()
})

it('what a killed process does not carry goes on, and the process comes back by itself', async () => {
  const kills = await killAtRandom(machines, new Random(SEED), POINTS, () => {})
  expect(kills).toHaveLength(POINTS)
  expect(new Set(kills.map(({ victim }) => victim)).size).toBe(9)
}, 240_000)
