import { defineConfig } from 'vitest/config'

// The flags make garbage visible to the tests that assert "nothing is allocated per frame".
const execArgv = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

const project = (name: string, include: string[], more: object = {}) => ({
  test: {
    name,
    include,
    pool: 'forks' as const,
    execArgv,
    setupFiles: ['test/support/fast-check.ts'],
    testTimeout: 10_000,
    hookTimeout: 30_000,
    ...more,
  },
})

export default defineConfig({
  test: {
    projects: [
      project('unit', ['{agent,hub,net}/**/*.test.ts']),
      project('fuzz', ['test/fuzz/**/*.test.ts'], { testTimeout: 60_000 }),
      // One after the other: they share the machine's two cores with the programs that they start.
      project('system', ['test/{netns,interop,conformance}/**/*.test.ts'], {
        fileParallelism: false,
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
    ],
  },
})
