/** Files of a host device's original disk: /etc as its programs need it, /root. Paths are relative to the root directory. */

interface DiskFile {
  readonly path: string
  readonly text: string
  readonly mode: number
}

export interface OriginalDisk {
  readonly directories: readonly { readonly path: string; readonly mode: number }[]
  readonly files: readonly DiskFile[]
  readonly links: readonly { readonly path: string; readonly target: string }[]
  /** Of the machine, copied where it has them: tables and settings that tell nothing of it. */
  readonly copied: readonly string[]
}

const NOBODY = 65_534
const USERS = [
  ['root', 0, '/root', '/bin/bash'],
  ['daemon', 1, '/usr/sbin', '/usr/sbin/nologin'],
  ['bin', 2, '/bin', '/usr/sbin/nologin'],
  ['mail', 8, '/var/mail', '/usr/sbin/nologin'],
  ['www-data', 33, '/var/www', '/usr/sbin/nologin'],
  ['sshd', 101, '/run/sshd', '/usr/sbin/nologin'],
  ['tcpdump', 102, '/nonexistent', '/usr/sbin/nologin'],
  ['nobody', NOBODY, '/nonexistent', '/usr/sbin/nologin'],
] as const

const GROUPS = [
  ['tty', 5],
  ['shadow', 42],
  ['users', 100],
  ['nogroup', NOBODY],
] as const

const COPIED = [
  'etc/bash.bashrc',
  'etc/bashrc',
  'etc/debian_version',
  'etc/ethertypes',
  'etc/gai.conf',
  'etc/inputrc',
  'etc/iproute2',
  'etc/login.defs',
  'etc/protocols',
  'etc/rpc',
  'etc/services',
]

const PROFILE = `export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if [ "\${BASH-}" ]; then
  if [ -r /etc/bash.bashrc ]; then . /etc/bash.bashrc; elif [ -r /etc/bashrc ]; then . /etc/bashrc; fi
  PS1='\\u@\\h:\\w\\$ '
fi
for file in /etc/profile.d/*.sh; do
  if [ -r "$file" ]; then . "$file"; fi
done
unset file
`

const PAM = `auth required pam_unix.so
account required pam_unix.so
password required pam_unix.so
session required pam_unix.so
`

/** Root logs in with a key, or with a password once he has one. */
const SSHD = `PermitRootLogin yes
UsePAM no
PrintMotd yes
AcceptEnv LANG LC_* COLORTERM
Subsystem sftp internal-sftp
`

const SSH = `Host *
    HashKnownHosts no
    SendEnv LANG LC_* COLORTERM
`

const NSSWITCH = `passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
ethers: files
rpc: files
`

/**
 * @param hostname  of the device
 * @param hasUsers  whether it has users besides root: only where the hub runs as root
 */
export function originalDisk(hostname: string, hasUsers: boolean): OriginalDisk {
  const short = hostname.split('.')[0] ?? hostname
  const names = short === hostname ? hostname : `${hostname} ${short}`
  return {
    directories: [
      { path: 'root', mode: 0o700 },
      ...['home', 'media', 'mnt', 'opt', 'srv'].map(plain),
      ...['etc/profile.d', 'etc/pam.d', 'etc/ssh', 'etc/skel'].map(plain),
      ...['bin', 'sbin', 'lib', 'share', 'etc', 'src'].map((name) => plain(`usr/local/${name}`)),
      ...['var', 'cache', 'empty', 'lib', 'lib/misc', 'log', 'mail', 'spool'].map((name) =>
        plain(name === 'var' ? name : `var/${name}`),
      ),
      { path: 'var/tmp', mode: 0o1777 },
    ],
    files: [
      file('etc/passwd', passwd(hasUsers)),
      file('etc/shadow', USERS.map(([name]) => `${name}:*:19000:0:99999:7:::\n`).join(''), 0o600),
      file('etc/group', groups(hasUsers)),
      file('etc/shells', '/bin/sh\n/bin/bash\n'),
      file('etc/hostname', `${hostname}\n`),
      file(
        'etc/hosts',
        `127.0.0.1 localhost\n127.0.1.1 ${names}\n::1 localhost ip6-localhost ip6-loopback\n`,
      ),
      file('etc/nsswitch.conf', NSSWITCH),
      file('etc/host.conf', 'multi on\n'),
      file('etc/fstab', ''),
      file('etc/environment', ''),
      file('etc/profile', PROFILE),
      file('etc/pam.d/other', PAM),
      ...['su', 'su-l', 'runuser', 'runuser-l'].map((name) =>
        file(`etc/pam.d/${name}`, `auth sufficient pam_rootok.so\n${PAM}`),
      ),
      file('etc/ssh/sshd_config', SSHD),
      file('etc/ssh/ssh_config', SSH),
    ],
    links: [
      { path: 'etc/mtab', target: '/proc/self/mounts' },
      { path: 'etc/os-release', target: '../usr/lib/os-release' },
      { path: 'etc/localtime', target: '/usr/share/zoneinfo/Etc/UTC' },
      { path: 'etc/resolv.conf', target: '/run/host/resolv.conf' },
      { path: 'var/run', target: '/run' },
      { path: 'var/lock', target: '/run/lock' },
    ],
    copied: COPIED,
  }
}

const file = (path: string, text: string, mode = 0o644): DiskFile => ({ path, text, mode })

const plain = (path: string): { path: string; mode: number } => ({ path, mode: 0o755 })

/** Programs that become another user stay root where there is no other. */
const passwd = (hasUsers: boolean): string =>
  USERS.map(([name, id, home, shell]) => {
    const own = hasUsers ? id : 0
    return `${name}:x:${own}:${own}:${name}:${home}:${shell}\n`
  }).join('')

function groups(hasUsers: boolean): string {
  const all = [...USERS.map(([name, id]) => [name, id] as const).filter(([, id]) => id < NOBODY), ...GROUPS]
  return (hasUsers ? all : all.slice(0, 1)).map(([name, id]) => `${name}:x:${id}:\n`).join('')
}
