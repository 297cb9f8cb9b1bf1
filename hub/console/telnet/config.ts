/** What the supervisor tells the telnet process of a running topology. */
export interface TelnetConfig {
  readonly devices: readonly ConsoleDevice[]
}

export interface ConsoleDevice {
  /** As people are told: TOPOLOGY/DEVICE. */
  readonly name: string
  /** TCP, on loopback. */
  readonly port: number
  /** Of its console, relative to the data directory. */
  readonly socket: string
}

/** Name of its configuration and log. */
export const telnetName = (topology: string): string => `${topology}:telnet`

/** Where it is asked. */
export const telnetSocket = (topology: string): string => `run/${telnetName(topology)}.sock`
