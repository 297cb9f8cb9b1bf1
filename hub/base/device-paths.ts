/**
 * A device's own directory, topologies/TOPOLOGY/devices/NUMBER in the data directory: its process's working directory,
 * all that it may write. It belongs to the user that it runs as; the directories above let in only the hub's service
 * user and the gateways' group, so the sockets are open to all.
 */

export const deviceDirectory = (topology: string, number: number): string =>
  `topologies/${topology}/devices/${number}`

/** Directories between it and the data directory, and itself. */
export const DEVICE_DEPTH = 4

/** Within it. */
export const DEVICE_CONFIG = 'config.json'
/** Asked by the supervisor. */
export const DEVICE_SOCKET = 'device.sock'
/** Gives the fabric the descriptors of the device's interfaces. */
export const DEVICE_TAPS_SOCKET = 'taps.sock'
export const DEVICE_CONSOLE_SOCKET = 'console.sock'
/** The system's /dev/net/tun again, which there may be root's alone. */
export const DEVICE_TUN = 'tun'
/** What the device keeps when it is switched off. */
export const DEVICE_DISK = 'disk.tar'
