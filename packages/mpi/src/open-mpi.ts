import type { SavedArray } from '@diffgrad/core'
import type { Reduction, Transport } from './ranks.ts'

/** `(void *) 1`: the elements are both read and written. */
const inPlace = 1n

/** MPI_THREAD_SERIALIZED: any thread may call MPI, one at a time. */
const serialized = 2

/** A function of the library, as koffi calls it. */
interface ForeignFunction {
  (...values: unknown[]): unknown
  async(...values: unknown[]): void
}

/**
 * The ranks that `mpirun` or `srun` has started, by Open MPI. An error of MPI itself ends all ranks, with a
 * message of MPI's.
 */
export class OpenMpi implements Transport {
  readonly rank: number
  readonly size: number
  readonly #allreduce: ForeignFunction
  readonly #abort: ForeignFunction
  readonly #finalize: ForeignFunction
  /** Arguments of `MPI_Allreduce`. In Open MPI, predefined handles are addresses of variables. */
  readonly #types: Readonly<Record<'Float32Array' | 'Float64Array', unknown>>
  readonly #operations: Readonly<Record<Reduction, unknown>>
  readonly #world: unknown
  readonly #ownsMpi: boolean
  #ended = false

  /** @throws Error if koffi or Open MPI is missing, or MPI serves one thread only. */
  static async load(): Promise<OpenMpi> {
    const { default: koffi } = await import('koffi').catch((cause) => {
      throw new Error('mpi: needs the package koffi: npm install koffi', { cause })
    })
    // The library of Open MPI 4 and 5.
    const library = process.env.MPI_LIBRARY ?? 'libmpi.so.40'
    try {
      // Global: Open MPI loads plugins, which look for its symbols.
      return new OpenMpi(koffi.load(library, { global: true }))
    } catch (cause) {
      if (!String(cause).includes(library)) throw cause
      throw new Error(
        `mpi: Open MPI could not be loaded as ${library}; install it (Debian: openmpi-bin), or set MPI_LIBRARY`,
        { cause },
      )
    }
  }

  private constructor(mpi: ReturnType<typeof import('koffi').load>) {
    const handle = (name: string): unknown => mpi.symbol(`ompi_mpi_${name}`, 'void *')
    const call = (declaration: string): ForeignFunction => mpi.func(declaration)
    const integer = (declaration: string, ...values: unknown[]): number => {
      const result = [0]
      call(declaration)(...values, result)
      return result[0]
    }
    this.#ownsMpi = integer('int MPI_Initialized(_Out_ int *)') === 0
    if (this.#ownsMpi) {
      const declaration = 'int MPI_Init_thread(void *, void *, int, _Out_ int *)'
      if (integer(declaration, null, null, serialized) < serialized)
        throw new Error('mpi: this MPI serves only the thread that began it; it needs threads')
    }
    this.#world = handle('comm_world')
    this.#types = { Float32Array: handle('float'), Float64Array: handle('double') }
    this.#operations = { sum: handle('op_sum'), maximum: handle('op_max') }
    this.rank = integer('int MPI_Comm_rank(void *, _Out_ int *)', this.#world)
    this.size = integer('int MPI_Comm_size(void *, _Out_ int *)', this.#world)
    this.#allreduce = call('int MPI_Allreduce(uintptr_t, void *, int, void *, void *, void *)')
    this.#abort = call('int MPI_Abort(void *, int)')
    this.#finalize = call('int MPI_Finalize()')
    // Without it, mpirun takes an exit for the death of a rank. After an error it is one.
    if (this.#ownsMpi)
      process.on('exit', (code) => {
        if (code === 0) this.#end()
      })
  }

  reduceSync(elements: SavedArray, reduction: Reduction): void {
    this.#allreduce(...this.#arguments(elements, reduction))
  }

  reduce(elements: SavedArray, reduction: Reduction): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#allreduce.async(...this.#arguments(elements, reduction), (error: unknown) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  abort(): void {
    this.#abort(this.#world, 1)
  }

  async end(): Promise<void> {
    this.#end()
  }

  #end(): void {
    if (this.#ownsMpi && !this.#ended) this.#finalize()
    this.#ended = true
  }

  #arguments(elements: SavedArray, reduction: Reduction): readonly unknown[] {
    const type = elements instanceof Float32Array ? 'Float32Array' : 'Float64Array'
    const operation = this.#operations[reduction]
    return [inPlace, elements, elements.length, this.#types[type], operation, this.#world]
  }
}
