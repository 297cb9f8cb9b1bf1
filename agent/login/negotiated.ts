/** What SSH has agreed on, and with whom. */
export interface SshNegotiated {
  /** How the hub's SSH names itself. */
  readonly software: string
  /** From the agent to the hub; the other way it is the same. */
  readonly cipher: string
  readonly kex: string
  readonly hostKeyAlgorithm: string
  /** Strict key exchange, against CVE-2023-48795. */
  readonly isStrict: boolean
}
