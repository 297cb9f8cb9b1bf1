/** The reader's end of run/capture.sock: for gateways, and for `hybridge capture`. */
import { type OpenCapture, openCapture as open } from '#net/capture/capture-client.ts'
import type { CaptureRequest } from '#hub/base/capture-request.ts'
import { fabricSockets, topologyOf } from '#hub/base/fabric-sockets.ts'

/**
 * The bridge is named in full. Asks for a capture in the data directory that is the working directory while this is called.
 * @throws ConfigError for a filter with a fault, ProtocolError of the fabric @throws SystemError when there is none
 */
export const openCapture = (request: CaptureRequest): Promise<OpenCapture> =>
  open(fabricSockets(topologyOf(request.bridge)).capture, request)
