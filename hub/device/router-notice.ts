/** What is told of routers as long as there are none: they start as hosts. */
import type { PlannedDevice } from '#hub/base/topology-plan.ts'

/** Of a device that is no host. */
export const routerNotice = ({
  kind,
  configuration,
}: Pick<PlannedDevice, 'kind' | 'configuration'>): string =>
  `this ${kind} starts as a host, as routers are not simulated yet` +
  (configuration === null ? '' : '; its configuration is kept, and not used')
