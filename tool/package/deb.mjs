// The Debian package, made with dpkg-deb and dpkg-shlibdeps, which need no root.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { gzipSync } from 'node:zlib'

/** Whoever makes the package, as Debian's tools are told. */
const { DEBFULLNAME = 'Hybridge', DEBEMAIL = 'hybridge@localhost.localdomain' } = process.env
const MAINTAINER = `${DEBFULLNAME} <${DEBEMAIL}>`
const DESCRIPTION = `network lab hub that a real LAN can plug into
 A hub runs virtual switches; hconnect takes an Ethernet port where the LAN is
 and joins it to one of them through SSH. Both commands are here, each one
 executable file with its own Node.js in it.`
const OVERRIDES = `# Node.js has its own, and the licences of what is in the executables belong to them.
hybridge: embedded-library *
hybridge: hardening-no-pie *
hybridge: copyright-file-contains-full-apache-2-license
hybridge: old-fsf-address-in-copyright-file
`
/** Programs of the machine that the hosts of a topology have too. */
const TOOLS = ['curl', 'iproute2', 'iputils-ping', 'openssh-client', 'python3 | busybox', 'tcpdump', 'traceroute']
/** Not for everybody: sshd would serve the machine, too. */
const SUGGESTED = ['dnsmasq-base', 'iperf3', 'openssh-server']
const SCRIPTS = ['postinst', 'prerm', 'postrm']
const LIBRARY = 'usr/lib/hybridge'

/**
 * @param directory  where the executables are, and the package is made
 * @param parts  version; date of the package; addons, name to file; texts, path in the package to content; whether it is left
 *   uncompressed, which saves a minute
 * @returns the package's file
 */
export function makeDeb(directory, { version, date, addons, texts, isFast }) {
  const root = `${directory}/root`
  const put = (path, content, mode = 0o644) => {
    mkdirSync(dirname(`${root}/${path}`), { recursive: true, mode: 0o755 })
    writeFileSync(`${root}/${path}`, content)
    chmodSync(`${root}/${path}`, mode)
  }
  const copy = (from, path, mode) => put(path, readFileSync(from), mode)
  const commands = ['hconnect', 'hybridge'].map((name) => `usr/bin/${name}`)
  for (const path of commands) copy(`${directory}/${basename(path)}`, path, 0o755)
  for (const [name, file] of Object.entries(addons)) copy(file, `${LIBRARY}/${name}`)
  for (const [path, text] of Object.entries({ ...texts, ...documents(version, date) }))
    put(...(/\/man\d\/|\/changelog$/.test(path) ? [`${path}.gz`, gzipSync(text, { level: 9 })] : [path, text]))

  const libraries = Object.keys(addons).map((name) => `${LIBRARY}/${name}`)
  const depends = dependencies(root, [...commands, ...libraries.filter((path) => !isOptional(path))])
  const recommends = dependencies(root, libraries.filter(isOptional)).filter(
    (needed) => !depends.some((name) => nameOf(name) === nameOf(needed)),
  )
  const { arch } = process
  const architecture = { x64: 'amd64' }[arch] ?? arch
  const control = {
    Package: 'hybridge',
    Version: version,
    Architecture: architecture,
    Maintainer: MAINTAINER,
    'Installed-Size': Math.ceil(sizeOf(root) / 1024),
    Depends: [...depends, 'libcap2-bin', 'passwd'].join(', '),
    Recommends: [...recommends, ...TOOLS].join(', '),
    Suggests: SUGGESTED.join(', '),
    Section: 'net',
    Priority: 'optional',
    Description: DESCRIPTION,
  }
  put('DEBIAN/control', Object.entries(control).map(([key, value]) => `${key}: ${value}\n`).join(''))
  for (const name of SCRIPTS) copy(`tool/package/debian/${name}`, `DEBIAN/${name}`, 0o755)

  const file = `${directory}/hybridge_${version}_${architecture}.deb`
  execFileSync('dpkg-deb', ['--root-owner-group', isFast ? '-Znone' : '-Zxz', '--build', root, file], { stdio: 'pipe' })
  rmSync(root, { recursive: true })
  return file
}

function documents(version, date) {
  const place = 'usr/share/doc/hybridge'
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md'))
  const examples = ['docs/examples', 'examples'].flatMap((directory) =>
    readdirSync(directory, { recursive: true })
      .filter((name) => statSync(`${directory}/${name}`).isFile())
      .map((name) => [`${place}/examples/${name}`, readFileSync(`${directory}/${name}`, 'utf8')]),
  )
  const changes = `hybridge (${version}) unstable; urgency=medium\n\n  * CHANGELOG.md tells the changes.\n\n -- ${MAINTAINER}  ${date.toUTCString().replace('GMT', '+0000')}\n`
  return {
    'usr/share/lintian/overrides/hybridge': OVERRIDES,
    ...units(),
    [`${place}/changelog`]: changes,
    [`${place}/CHANGELOG.md`]: readFileSync('CHANGELOG.md', 'utf8'),
    ...Object.fromEntries(examples),
    ...Object.fromEntries(pages.map((name) => [`${place}/docs/${name}`, readFileSync(`docs/${name}`, 'utf8')])),
  }
}

/** The units of systemd lie beside the sources of what they run. */
const units = () =>
  Object.fromEntries(
    ['agent', 'hub'].flatMap((directory) =>
      readdirSync(directory, { recursive: true })
        .filter((name) => name.endsWith('.service'))
        .map((name) => [
          `usr/lib/systemd/system/${basename(name)}`,
          readFileSync(`${directory}/${name}`, 'utf8'),
        ]),
    ),
  )

/** Packages of the shared libraries that files need, with the least versions that have their symbols. */
function dependencies(root, files) {
  if (files.length === 0) return []
  mkdirSync(`${root}/debian`)
  writeFileSync(`${root}/debian/control`, 'Source: hybridge\n\nPackage: hybridge\nArchitecture: any\n')
  try {
    const words = ['-O', '--warnings=0', ...files.map((path) => `-e${path}`)]
    const text = execFileSync('dpkg-shlibdeps', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return text.replace(/^shlibs:Depends=/, '').trim().split(', ')
  } finally {
    rmSync(`${root}/debian`, { recursive: true })
  }
}

/** libpcap's, which hconnect does without. */
const isOptional = (path) => basename(path).startsWith('cap-')
const nameOf = (dependency) => dependency.split(' ')[0]

const sizeOf = (directory) =>
  readdirSync(directory, { recursive: true }).reduce((sum, path) => sum + statSync(`${directory}/${path}`).size, 0)
