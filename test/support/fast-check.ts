/** For every test: `maxLength` says how long what fast-check makes may become; without this it ends at 10 or so. */
import { configureGlobal } from 'fast-check'

configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true })
