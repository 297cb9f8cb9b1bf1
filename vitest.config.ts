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

/** Their assertions are about time, or they keep both cores busy: nothing else may run beside them. */
const ALONE = ['far', 'latency', 'many', 'storm', 'impairment', 'transparency', 'processes'].map(
  (name) => `test/netns/${name}.test.ts`,
)
const slow = { testTimeout: 60_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    projects: [
      project('unit', ['{agent,hub,net}/**/*.test.ts'], { sequence: { groupOrder: 0 } }),
      project('fuzz', ['test/fuzz/**/*.test.ts'], { testTimeout: 60_000, sequence: { groupOrder: 1 } }),
      // Three at a time on two cores: most of it waits, and each file has namespaces of its own.
      project('system', ['test/{netns,interop,conformance}/**/*.test.ts'], {
        ...slow,
        exclude: ALONE,
        maxWorkers: 3,
        sequence: { groupOrder: 2 },
      }),
      project('alone', ALONE, { ...slow, maxWorkers: 1, sequence: { groupOrder: 3 } }),
    ],
  },
})
