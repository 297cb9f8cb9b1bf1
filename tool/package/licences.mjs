// Copyright file of the package: of Hybridge, of Node, and of every npm package that is in the executables.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Where Node's own is: beside an unpacked or compiled Node, or in a Debian package. */
const NODE_LICENCES = [resolve(dirname(process.execPath), '../LICENSE'), '/usr/share/doc/nodejs/LICENSE']

/** @param files  that were bundled */
export function copyrightText(files) {
  const node = NODE_LICENCES.find((file) => existsSync(file))
  if (!node) throw new Error(`no licence of Node in ${NODE_LICENCES.join(', ')}: the package has to contain it`)
  const packages = [...new Set(files.flatMap(packageOf))].sort((a, b) => (a < b ? -1 : 1))
  return [
    'Hybridge, under the Apache License, Version 2.0: /usr/share/common-licenses/Apache-2.0',
    `The executables contain Node ${process.version} and the packages of npm that follow.`,
    ...packages.map(noticeOf),
    `Node ${process.version}\n\n${readFileSync(node, 'utf8')}`,
  ].join(`\n\n${'-'.repeat(78)}\n\n`)
}

/** The directory in node_modules that a file belongs to. */
const packageOf = (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(resolve(file)) ?? []

function noticeOf(directory) {
  const { name, version, license, licenses } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
  const file = readdirSync(directory).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
  const kind = license ?? licenses?.[0]?.type ?? 'no licence named'
  return `${name} ${version} (${kind})${file ? `\n\n${readFileSync(`${directory}/${file}`, 'utf8')}` : ''}`
}
