/** What a host device's world is entered with, and its first process: texts for sh(1). */

/** Of the world's processes together, and of each. */
export interface WorldLimits {
  readonly processes: number
  readonly openFiles: number
  /** Of shared memory, besides what the processes are limited to. */
  readonly sharedMb: number
  /** Of each process; undefined: the kernel sees to it that all together use no more than they may. */
  readonly dataMb: number | undefined
}

/** What root of a host may do: its network is its own, file systems and the kernel are not. */
const CAPABILITIES = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'net_admin',
  'net_bind_service',
  'net_broadcast',
  'net_raw',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
  'sys_nice',
  'sys_ptrace',
]
/** Files of /proc that tell of the machine, beyond what a program needs. */
const MASKED = [
  'cmdline',
  'kallsyms',
  'kcore',
  'keys',
  'modules',
  'sysrq-trigger',
  'timer_list',
  'vmallocinfo',
]
/** Settings that are not the network's, but could be raised. */
const READ_ONLY = ['kernel', 'user']
/** An ordinary user's hub has them of what its user may have, 128 as a rule. */
const INOTIFY_INSTANCES = 16
/** System V's, which nobody sees the memory of: proc_sys_kernel(5), of a set, of all, of a call, sets; queues of 16 KiB. */
const SEMAPHORES = '250 32000 32 128'
const MESSAGE_QUEUES = 128
const MEBI = 1024 * 1024
/** Below the hub's own processes. */
const NICE = 5
/** Where memory is short, they go before the device's own process; they cannot make themselves better than that. */
const SPARED_LAST = 500
/** Groups that may ping. */
const LAST_GROUP = 65_535
/** The disk is no archive: the first process ends with this code. */
export const DAMAGED_DISK = 3

/**
 * Run by the first process of new mount and pid namespaces: it leaves the machine's tree and becomes init.
 * Its working directory is the one that becomes its root. `$@` is given to init.
 */
export function enterScript(limits: WorldLimits, hasUsers: boolean): string {
  const { processes, openFiles, sharedMb, dataMb } = limits
  const data = dataMb === undefined ? '' : ` --data=${dataMb * MEBI}`
  const bounds = `--nproc=${processes} --nofile=${openFiles} --core=0${data}`
  const capabilities = `-all,${CAPABILITIES.map((name) => `+${name}`).join(',')}`
  return `set -e
umask 022
mount -t proc -o nosuid,nodev,noexec proc proc
echo ${SPARED_LAST} > proc/self/oom_score_adj
echo 0 > proc/sys/user/max_user_namespaces
echo ${INOTIFY_INSTANCES} > proc/sys/user/max_inotify_instances
echo $((${sharedMb * MEBI} / $(getconf PAGESIZE || echo 4096))) 2>/dev/null > proc/sys/kernel/shmall || :
echo ${SEMAPHORES} 2>/dev/null > proc/sys/kernel/sem || :
echo ${MESSAGE_QUEUES} 2>/dev/null > proc/sys/kernel/msgmni || :
echo 0 ${hasUsers ? LAST_GROUP : 0} > proc/sys/net/ipv4/ping_group_range
for file in ${MASKED.join(' ')}; do
  if [ -e proc/$file ]; then mount --bind dev/null proc/$file; fi
done
for name in ${READ_ONLY.join(' ')}; do
  if [ -e proc/sys/$name ]; then mount -o bind,ro proc/sys/$name proc/sys/$name; fi
done
mkdir run/machine
pivot_root . run/machine
cd /
umount -l /run/machine
rmdir /run/machine
exec nice -n ${NICE} prlimit ${bounds} setpriv --bounding-set=${capabilities} --inh-caps=-all \\
  /bin/sh /run/host/init "$@"
`
}

/**
 * The first process: unpacks the disk from standard input when it is started with the word `disk`, tells `ready` on
 * standard output, keeps a login shell on the terminal of descriptor 3, and takes in the children of others that ended.
 * At SIGTERM it ends all others.
 * @param notKept  what is not to be unpacked, relative to the root directory
 */
export function initScript(notKept: readonly string[], hasUsers: boolean): string {
  const owner = hasUsers ? '--numeric-owner' : '--no-same-owner'
  const excluded = notKept.map((path) => ` --exclude='./${path}'`).join('')
  return `stop() {
  trap '' TERM
  kill -TERM -1
  kill -HUP -1
  wait
  exit 0
}
if [ "$1" = disk ]; then
  tar --extract --directory=/ --same-permissions ${owner} --anchored --no-wildcards${excluded} ||
    exit ${DAMAGED_DISK}
fi
mkdir -p /run/lock /run/sshd
exec </dev/null
sh /run/host/boot >&3 2>&3 3>&- &
if [ -x /etc/rc.local ]; then /etc/rc.local >&3 2>&3 3>&- & fi
trap stop TERM
echo ready
exec >/dev/null 2>&1
shell=/bin/bash
[ -x $shell ] || shell=/bin/sh
cd /root
while :; do
  # What sh(1) starts with & ignores Ctrl-C, and so would all that the shell starts.
  env --default-signal=INT,QUIT setsid --ctty $shell -l <&3 >&3 2>&3 3>&- &
  wait $!
  sleep 0.3 &
  wait $!
done
`
}
