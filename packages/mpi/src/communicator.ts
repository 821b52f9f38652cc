import { OpenMpi } from './open-mpi.ts'
import { Ranks, type Transport } from './ranks.ts'

/** A process that no launcher has started among others. */
const alone: Transport = {
  rank: 0,
  size: 1,
  reduceSync() {},
  async reduce() {},
  abort() {
    process.exit(1)
  },
  async end() {},
}

/** Variables that `mpirun` and `srun --mpi=pmix` or `--mpi=pmi2` set. */
const launcherVariables = ['OMPI_COMM_WORLD_SIZE', 'PMIX_RANK', 'PMI_RANK']

/**
 * The processes that `mpirun` or `srun` has started, this one among them; one rank if neither has. Call it once
 * in a process, first on its main thread; again in a worker that takes part. If a rank dies, or throws an error
 * that it does not catch, the launcher ends all.
 *
 * @throws Error if Open MPI or the package koffi is missing, or `srun` has started processes that do not
 * know of each other.
 */
export async function communicator(): Promise<Ranks> {
  // A page has no process.
  const environment = globalThis.process?.env ?? {}
  const isLaunched = launcherVariables.some((name) => environment[name] !== undefined)
  const transport = isLaunched ? await OpenMpi.load() : alone
  const tasks = Number(environment.SLURM_STEP_NUM_TASKS ?? 1)
  if (tasks > 1 && transport.size === 1)
    throw new Error(
      `mpi: srun has started ${tasks} processes, but none knows of the others; start them by srun --mpi=pmix`,
    )
  return new Ranks(transport)
}
