import { Command } from 'commander'
import { addPrepare } from '../../src/commands/prepare.ts'

// A program with no other command, for a process of its own.
const program = new Command()
addPrepare(program)
await program.parseAsync()
