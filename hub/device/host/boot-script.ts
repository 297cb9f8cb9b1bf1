/** What a host does at its start, as text for sh(1), whose output is on the console. */
import type { HostConfiguration } from '#hub/base/host-configuration.ts'

const PAGES = '/srv/www'
const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key'

export interface BootOptions {
  readonly hostname: string
  readonly configuration: Pick<HostConfiguration, 'services' | 'run'>
  /** Lines for whoever looks at the console. */
  readonly notices: readonly string[]
}

export function bootScript({ hostname, configuration, notices }: BootOptions): string {
  const { services, run } = configuration
  const parts = notices.map((notice) => say(notice))
  if (services.includes('ssh')) parts.push(SSH)
  if (services.includes('http')) parts.push(http(hostname))
  // The last: what is wrong in it ends nothing else.
  if (run !== '') parts.push(`cd /root\n${run}`)
  return parts.map((part) => `${part.trimEnd()}\n`).join('')
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const say = (text: string): string => `printf '%s\\r\\n' ${quoted(text)}`

const SSH = `if sshd=$(command -v sshd); then
  [ -e ${HOST_KEY} ] || ssh-keygen -q -t ed25519 -N '' -f ${HOST_KEY}
  "$sshd" -h ${HOST_KEY} || ${say('ssh is not there: sshd does not start')}
else
  ${say('ssh is not there: the hub has no sshd (install openssh-server on it)')}
fi`

const http = (hostname: string): string => `mkdir -p ${PAGES}
[ -e ${PAGES}/index.html ] || printf '<!doctype html><title>%s</title><h1>%s</h1>\\n' ${quoted(hostname)} ${quoted(hostname)} >${PAGES}/index.html
if command -v busybox >/dev/null && busybox httpd --help >/dev/null 2>&1; then
  busybox httpd -p 80 -h ${PAGES}
elif command -v python3 >/dev/null; then
  serve="python3 -I -m http.server -d ${PAGES}"
  { $serve -b :: 80 || $serve 80; } >/dev/null 2>&1 &
else
  ${say('http is not there: the hub has neither busybox nor python3 (install one on it)')}
fi`
