/** `hybridge user ...`: accounts, straight in the data directory, whether a hub runs on it or not. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { ConfigError, reasonOf } from '#net/base/errors.ts'
import { FILE } from '#net/cli/values.ts'
import { ACCOUNTS_FILE, openDataDirectory, ownerOf, requireDataDirectory } from '#hub/base/data-directory.ts'
import { type Context, dataOf, print } from '#hub/command/context.ts'
import { formatTable } from '#net/base/table.ts'
import type { PublicKey } from '#hub/accounts/public-key.ts'
import type { AccountStore } from '#hub/accounts/store.ts'

interface Data {
  readonly data?: string | undefined
}

/** Runs `use` on the accounts; a data directory and its accounts are made when a command that adds needs them. */
async function withAccounts<T>(
  context: Context,
  data: string | undefined,
  create: boolean,
  use: (store: AccountStore) => T | Promise<T>,
): Promise<T> {
  const { AccountStore: Store } = await import('#hub/accounts/store.ts')
  const directory = dataOf(context, data)
  if (create) openDataDirectory(directory)
  else requireDataDirectory(directory)
  const store = Store.open(join(directory, ACCOUNTS_FILE), ownerOf(directory))
  try {
    return await use(store)
  } finally {
    store.close()
  }
}

async function readKey(file: string): Promise<PublicKey> {
  const { parsePublicKeyFile } = await import('#hub/accounts/public-key.ts')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const why = existsSync(file) ? reasonOf(error) : 'no such file'
    throw new ConfigError(`cannot read key ${file}: ${why}`, { cause: error })
  }
  return parsePublicKeyFile(text, file)
}

async function newPassword(context: Context, user: string, fromStdin: boolean): Promise<string> {
  const [{ askNewPassword, readPasswordLine }, { hashPassword }] = await Promise.all([
    import('#hub/command/read-password.ts'),
    import('#hub/accounts/password.ts'),
  ])
  const password = fromStdin ? await readPasswordLine(context) : await askNewPassword(context, user)
  return await hashPassword(password, context.passwordCost)
}

interface Add extends Data {
  readonly name: string
  readonly key?: string | undefined
  readonly 'password-stdin': boolean
}

const add = (context: Context): CommandModule<object, Add> => ({
  command: 'add <name>',
  describe: 'Add a user, with a public key, a password, or both',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true, describe: 'Name of the user' })
      .option('key', {
        ...FILE,
        type: 'string',
        requiresArg: true,
        describe: 'File with the public key (OpenSSH .pub)',
      })
      .option('password-stdin', {
        type: 'boolean',
        default: false,
        describe: 'Read the password from the first line of standard input',
      })
      .example('$0 user add ann --key ~/.ssh/id_ed25519.pub', 'ann logs in with her key')
      .example('$0 user add ann', 'asks for a password on the terminal'),
  handler: async ({ name, key: file, passwordStdin, data }) => {
    const { checkUserName } = await import('#hub/accounts/store.ts')
    checkUserName(name)
    const key = file === undefined ? undefined : await readKey(file)
    const password = !key || passwordStdin ? await newPassword(context, name, passwordStdin) : undefined
    await withAccounts(context, data, true, (store) => {
      store.addUser(name, { ...(password !== undefined && { password }), ...(key && { key }) })
    })
    print(context, `user ${name} added${key ? ` with key ${key.fingerprint}` : ''}`)
  },
})

const remove = (context: Context): CommandModule<object, Data & { name: string }> => ({
  command: 'remove <name>',
  describe: 'Remove a user with all keys; tunnels that are up stay up',
  builder: (yargs) =>
    yargs
      .positional('name', { type: 'string', demandOption: true, describe: 'Name of the user' })
      .example('$0 user remove ann', 'ann can no longer log in'),
  handler: async ({ name, data }) => {
    await withAccounts(context, data, false, (store) => store.removeUser(name))
    print(context, `user ${name} removed`)
  },
})

const list = (context: Context): CommandModule<object, Data & { json: boolean }> => ({
  command: 'list',
  describe: 'List the users',
  builder: (yargs) =>
    yargs
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('$0 user list --json', 'for programs'),
  handler: async ({ json, data }) => {
    const users = await withAccounts(context, data, false, (store) => store.users())
    if (json) print(context, JSON.stringify(users))
    else if (users.length === 0) print(context, 'no users yet; add one with `hybridge user add NAME`')
    else {
      const rows = users.map((user) => [
        user.name,
        user.hasPassword ? 'yes' : 'no',
        String(user.keys),
        user.created.toISOString().slice(0, 10),
      ])
      print(context, formatTable(['user', 'password', '>keys', 'created'], rows))
    }
  },
})

const key = (context: Context): CommandModule<object, object> => ({
  command: 'key',
  describe: 'Add, list and remove public keys of a user',
  builder: (yargs) =>
    yargs
      .command<Data & { name: string; file: string }>({
        command: 'add <name> <file>',
        describe: 'Give a user one more public key',
        builder: (y) =>
          y
            .positional('name', { type: 'string', demandOption: true, describe: 'Name of the user' })
            .positional('file', {
              ...FILE,
              type: 'string',
              demandOption: true,
              describe: 'File with the public key',
            })
            .example('$0 user key add ann laptop.pub', 'ann logs in with either key'),
        handler: async ({ name, file, data }) => {
          const parsed = await readKey(file)
          await withAccounts(context, data, false, (store) => store.addKey(name, parsed))
          print(context, `key ${parsed.fingerprint} added to user ${name}`)
        },
      })
      .command<Data & { name: string; json: boolean }>({
        command: 'list <name>',
        describe: 'List the public keys of a user',
        builder: (y) =>
          y
            .positional('name', { type: 'string', demandOption: true, describe: 'Name of the user' })
            .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
            .example('$0 user key list ann', 'fingerprints as ssh-keygen -l prints them'),
        handler: async ({ name, json, data }) => {
          const keys = await withAccounts(context, data, false, (store) => store.keys(name))
          if (json) print(context, JSON.stringify(keys))
          else
            for (const { fingerprint, type, comment } of keys)
              print(context, `${fingerprint} ${type} ${comment}`.trim())
        },
      })
      .command<Data & { name: string; key: string }>({
        command: 'remove <name> <key>',
        describe: 'Take a public key away from a user',
        builder: (y) =>
          y
            .positional('name', { type: 'string', demandOption: true, describe: 'Name of the user' })
            .positional('key', {
              type: 'string',
              demandOption: true,
              describe: 'Its fingerprint, or its comment',
            })
            .example('$0 user key remove ann ann@laptop', 'the key with this comment'),
        handler: async ({ name, key: which, data }) => {
          await withAccounts(context, data, false, (store) => store.removeKey(name, which))
          print(context, `key ${which} removed from user ${name}`)
        },
      })
      .demandCommand(1, 'which of: key add, key list, key remove?'),
  handler: () => {},
})

export const userCommand = (context: Context): CommandModule<object, object> => ({
  command: 'user',
  describe: 'Manage who may log in; works whether the hub runs or not',
  builder: (yargs) =>
    yargs
      .command(add(context))
      .command(remove(context))
      .command(list(context))
      .command(key(context))
      .example('$0 user add ann --key ann.pub', 'add a user')
      .demandCommand(1, 'which of: user add, user remove, user list, user key?'),
  handler: () => {},
})
