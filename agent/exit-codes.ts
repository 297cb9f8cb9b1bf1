/** Exit codes of hconnect, and the error that carries one. Scripts depend on the numbers: none is ever reused. */

export const EXIT_ENDED = 0
export const EXIT_OTHER = 1
export const EXIT_USAGE = 2
export const EXIT_UNREACHABLE = 3
export const EXIT_REFUSED = 4
export const EXIT_UNKNOWN_BRIDGE = 5
export const EXIT_NO_NIC = 6
export const EXIT_NO_PRIVILEGE = 7
export const EXIT_HOST_KEY = 8
export const EXIT_TAKEN_OVER = 9
export const EXIT_CARRIES_TUNNEL = 10
export const EXIT_PROTOCOL = 11
export const EXIT_CERTIFICATE = 12

/** Code and meaning, in the order and words of --help and the documentation. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT_ENDED, 'ended on request (Ctrl-C, SIGTERM, --count)'],
  [EXIT_OTHER, 'any other error; status: not every link is connected'],
  [EXIT_USAGE, 'usage: bad option, bad configuration file'],
  [EXIT_UNREACHABLE, 'hub unreachable; status: no hconnect runs'],
  [EXIT_REFUSED, 'user refused: wrong key or password'],
  [EXIT_UNKNOWN_BRIDGE, 'unknown bridge, or one that this user may not join'],
  [EXIT_NO_NIC, 'no such network interface'],
  [EXIT_NO_PRIVILEGE, 'not privileged to open or restore the network interface'],
  [EXIT_HOST_KEY, "hub's host key unknown, changed or revoked"],
  [EXIT_TAKEN_OVER, 'another hconnect has taken this port over'],
  [EXIT_CARRIES_TUNNEL, 'the network interface carries the tunnel, or may'],
  [EXIT_PROTOCOL, 'the hub does not speak our protocol or version'],
  [EXIT_CERTIFICATE, 'certificate of the hub or the proxy not trusted (wss://, https://)'],
]

/** Ends the program with `exitCode`; the message is the one line that the user reads. */
export class ExitError extends Error {
  override readonly name = 'ExitError'
  readonly exitCode: number
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
