/** The bridges that the user may join, as the hub lists them. */
import { z } from 'zod'

import type { HubConnection } from '#agent/link/dial.ts'
import { EXIT_OTHER, EXIT_PROTOCOL, ExitError } from '#agent/exit-codes.ts'
import { excerpt } from '#agent/excerpt.ts'
import { run } from '#agent/run-command.ts'

const bridge = z.looseObject({ name: z.string().max(320) })
const listing = z.union([
  z.array(bridge),
  z.object({ bridges: z.array(bridge) }).transform((list) => list.bridges),
])
export type BridgeListing = z.infer<typeof bridge>

/** Asks the hub. @throws ExitError */
export async function listBridges(hub: HubConnection): Promise<BridgeListing[]> {
  const { stdout, stderr, status } = await run(hub, 'hybridge list --json')
  if (status !== 0)
    throw new ExitError(EXIT_OTHER, excerpt(stderr) || `the hub's list failed with status ${status}`)
  return parseListing(stdout)
}

/** Why the user may not join a bridge of that name, as the hub says; undefined when he may. @throws ExitError */
export async function refusalOfBridge(hub: HubConnection, name: string): Promise<string | undefined> {
  const { stderr, status } = await run(hub, `hybridge find ${name}`)
  return status === 0 ? undefined : excerpt(stderr) || `the hub refuses it with status ${status}`
}

/** @throws ExitError */
export function parseListing(text: string): BridgeListing[] {
  try {
    return listing.parse(JSON.parse(text))
  } catch (error) {
    throw new ExitError(EXIT_PROTOCOL, 'the hub answers with something that is not a list of bridges', {
      cause: error,
    })
  }
}

/** One name a line. */
export const formatListing = (bridges: readonly BridgeListing[]): string =>
  bridges.map((one) => `${excerpt(one.name)}\n`).join('')
