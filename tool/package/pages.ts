/** Manual pages and completions of both commands, as files of the Debian package. */
import { describeHconnect } from '#agent/options.ts'
import { describeHybridge } from '#hub/command/run.ts'
import { completionScript } from '#net/cli/completion.ts'
import type { CommandDescription } from '#net/cli/description.ts'
import { manualPage } from '#net/cli/manual.ts'

const HCONNECT = {
  purpose: 'bridge an Ethernet port to a virtual switch of a Hybridge hub',
  description: `hconnect takes an Ethernet port of this machine in promiscuous mode and joins it to a virtual switch (a bridge) of a hub, through SSH.
Every Ethernet frame passes, both ways, unchanged.
It needs root, or the capabilities CAP_NET_RAW and CAP_NET_ADMIN; the Debian package gives them to members of the group hconnect.`,
  files: [
    ['~/.config/hybridge/hconnect.yaml', 'Defaults of options.'],
    ['/etc/hybridge/hconnect.yaml', 'The same; read where the first one does not exist.'],
    ['~/.ssh/known_hosts', 'Host keys of hubs.'],
    ['/run/hybridge/nic', 'What network interfaces were before.'],
  ],
  seeAlso: ['hybridge(1)', 'ssh(1)', 'ssh_config(5)', 'capabilities(7)'],
} as const

const HYBRIDGE = {
  purpose: 'run a hub of virtual switches, and ask it',
  description: `hybridge runs a hub: virtual switches (bridges), and the SSH server through which hconnect(1) joins networks elsewhere to them.
It manages the hub's users, shows and changes bridges and ports while the hub runs, captures what passes, and checks, draws and runs topologies: bridges with hosts between them.`,
  files: [
    ['/var/lib/hybridge', 'Data directory of a hub that root runs: accounts, host key, topologies, logs, sockets.'],
  ],
  seeAlso: ['hconnect(1)', 'ssh(1)', 'vde_plug(1)', 'pcap-filter(7)'],
} as const

/** @returns path in the package to content. @param date  YYYY-MM-DD */
export function pages(version: string, date: string): Record<string, string> {
  const context = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {}, version }
  const hconnect = describeHconnect()
  const hybridge = describeHybridge(context)
  return {
    'usr/share/man/man1/hconnect.1': manualPage(hconnect, { ...HCONNECT, version, date }),
    'usr/share/man/man1/hybridge.1': manualPage(hybridge, { ...HYBRIDGE, version, date }),
    ...completions('hconnect', hconnect),
    ...completions('hybridge', hybridge),
  }
}

const completions = (name: string, program: CommandDescription): Record<string, string> => ({
  [`usr/share/bash-completion/completions/${name}`]: completionScript('bash', program),
  [`usr/share/zsh/vendor-completions/_${name}`]: completionScript('zsh', program),
  [`usr/share/fish/vendor_completions.d/${name}.fish`]: completionScript('fish', program),
})
