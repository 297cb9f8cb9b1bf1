/** What the console asks of a bridge's VDE server. */
export interface VdePlug {
  readonly id: number
  readonly port: number
  /** Owner of the client's socket. */
  readonly uid: number
  /** What the client says of itself: anything. */
  readonly description: string
}

export interface VdePlugs {
  readonly directory: string
  /** Permissions of its socket. */
  readonly mode: number
  endpoints(): readonly VdePlug[]
  /** @returns false when there is none of this number on the port */
  closeEndpoint(port: number, id: number): boolean
}
