/** What the supervisor tells the process of a device. */
import type { PlannedDevice } from '#hub/base/topology-plan.ts'

export interface DeviceConfig {
  readonly topology: string
  readonly device: PlannedDevice
  /** Megabytes that its processes may use together. */
  readonly memoryMb: number
  /** Megabytes of its disk. */
  readonly diskMb: number
  /** Whether the kernel sees to it that they use no more. */
  readonly isLimited: boolean
}
