import { checkCase } from './case.ts'
import { messageOf } from './verdict.ts'

// Checks the folders that its parent sends, one after the other, and answers with the results.
process.on('message', async (folder: string) => {
  try {
    process.send?.(await checkCase(folder))
  } catch (error) {
    const wrong = { verdict: 'wrong', reason: `threw ${messageOf(error)}` }
    process.send?.({ read: wrong, outputs: wrong, gradients: wrong })
  }
})
