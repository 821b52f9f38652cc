import type { Loader } from '../src/data/batch.ts'
import type { Dataset } from '../src/data/dataset.ts'
export declare function tinyDataset(size?: number, perClass?: number): Dataset
export declare function tinyLoader(
  { train, validation, size, classes }: Dataset,
  batch: number,
  seed: number,
): Loader
//# sourceMappingURL=stand-in.d.ts.map
