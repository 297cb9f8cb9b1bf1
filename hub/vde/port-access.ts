/** Which users of the machine may plug into which numbered ports of a bridge, as VDE switches have it. */

export interface PortAccess {
  /** The port is given to clients that ask for no number. */
  allocatable: boolean
  /** Owner, and group whose members may use the port; anybody may when both are null. */
  user: number | null
  group: number | null
}

const OPEN: Readonly<PortAccess> = { allocatable: true, user: null, group: null }

export class PortAccessTable {
  /** Of the ports that are not open to all. */
  readonly #ports = new Map<number, PortAccess>()

  of(port: number): PortAccess {
    return { ...(this.#ports.get(port) ?? OPEN) }
  }

  set(port: number, change: Partial<PortAccess>): void {
    this.#ports.set(port, { ...this.of(port), ...change })
  }

  /** The port is gone: one of the same number begins open. */
  remove(port: number): void {
    this.#ports.delete(port)
  }

  /** Whether user `uid` may plug in; root always may. */
  mayUse(port: number, uid: number, isInGroup: (uid: number, gid: number) => boolean): boolean {
    const { user, group } = this.of(port)
    if ((user === null && group === null) || uid === 0) return true
    return uid === user || (group !== null && isInGroup(uid, group))
  }
}
