/** What is examined, and what has been found out that later checks use. */
import type { ConfigFile } from '#agent/config-file.ts'
import type { HubConnection } from '#agent/link/dial.ts'
import type { Dialling } from '#agent/doctor/dialling.ts'
import type { Hub } from '#agent/hub.ts'
import type { System } from '#agent/doctor/system.ts'
import type { Arguments, Target } from '#agent/options.ts'

export interface Patient {
  readonly args: Arguments
  readonly config: ConfigFile
  readonly env: NodeJS.ProcessEnv
  /** The interface, as it was given. */
  readonly nic: string
  /** Of the hub, that are to be joined; empty: none was given. */
  readonly bridges: readonly string[]
  /** Undefined: none was given. */
  readonly target: Target | undefined
  /** Questions on the terminal are allowed. */
  readonly isAsking: boolean
  /** Loads what needs koffi; to be called by checks that need the check of that name. */
  readonly system: () => Promise<System>
  /** The hub and the way to it. @throws ExitError, ConfigError for what was given wrong */
  readonly hub: () => Promise<Hub>
  /** Begins to dial when it is called first. */
  readonly dialling: () => Promise<Dialling>
  /** Numeric addresses of the hub, when its name has been looked up. */
  addresses: readonly string[]
  /** A frame for another address was seen on the interface. */
  seesForeign: boolean
}

/** The connection to the hub, of a check that needs the login. @throws Error when there is none */
export async function connectionOf(patient: Patient): Promise<HubConnection> {
  const connection = await (await patient.dialling()).connected
  if (connection === undefined) throw new Error('there is no connection to the hub')
  return connection
}
