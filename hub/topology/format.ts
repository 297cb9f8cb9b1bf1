/**
 * Indents a topology file: four spaces a brace, and within macros named `..._START` and `..._END`. Lines stay lines, and
 * comments, directives and macros stay what they are.
 */

const INDENT = '    '

export function formatSource(text: string): string {
  const out: string[] = []
  let depth = 0
  let isComment = false
  let isContinued = false
  let blank = 0
  for (const line of text.trimEnd().replaceAll('\r\n', '\n').split('\n')) {
    const wasComment = isComment
    const scanned = scan(line, isComment)
    isComment = scanned.isComment
    const bare = line.trim()
    if (bare === '' && !isContinued && !wasComment) {
      blank++
      continue
    }
    // One empty line keeps parts apart, none begins the file.
    if (blank > 0 && out.length > 0) out.push('')
    blank = 0
    const isDirective: boolean = isContinued || (!wasComment && bare.startsWith('#'))
    if (wasComment) out.push(line.trimEnd())
    else if (isContinued) out.push(bare === '' ? '' : INDENT + bare)
    else if (isDirective) out.push(bare)
    else {
      const ends = scanned.closesFirst + (/^\w*_END\b/.test(scanned.code) ? 1 : 0)
      out.push(INDENT.repeat(Math.max(0, depth - ends)) + bare)
      depth = Math.max(
        0,
        depth + scanned.change + (isStart(scanned.code) ? 1 : 0) - (ends - scanned.closesFirst),
      )
    }
    isContinued = isDirective && bare.endsWith('\\')
  }
  return out.length === 0 ? '' : `${out.join('\n')}\n`
}

/** `VMX_CHASSIS_START()` begins what a macro of the same first words ends; the chassis itself encloses nothing. */
const isStart = (code: string): boolean => /^\w+_START\s*\(/.test(code)

interface Scan {
  /** The line begins another one within a comment. */
  readonly isComment: boolean
  /** Without comments and strings. */
  readonly code: string
  /** Braces opened, less those closed. */
  readonly change: number
  /** Braces closed at the line's beginning. */
  readonly closesFirst: number
}

function scan(line: string, inComment: boolean): Scan {
  let isComment = inComment
  let code = ''
  for (let i = 0; i < line.length; i++) {
    if (isComment) {
      if (!line.startsWith('*/', i)) continue
      isComment = false
      i++
    } else if (line.startsWith('/*', i)) {
      isComment = true
      i++
    } else if (line.startsWith('//', i)) break
    else if (line[i] === '"') {
      const end = /"(?:[^"\\]|\\.)*"?/y
      end.lastIndex = i
      i += (end.exec(line)?.[0].length ?? 1) - 1
      code += '""'
    } else code += line[i] ?? ''
  }
  code = code.trim()
  const count = (mark: string): number => code.split(mark).length - 1
  return {
    isComment,
    code,
    change: count('{') - count('}'),
    closesFirst: (/^[};\s]*/.exec(code)?.[0].split('}').length ?? 1) - 1,
  }
}
