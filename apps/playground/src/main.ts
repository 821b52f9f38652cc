import '@fontsource-variable/source-sans-3/wght.css'
import '@fontsource-variable/source-serif-4/wght.css'
import './style/tokens.css'
import './style/page.css'
import './style/controls.css'
import './style/race.css'
import './style/swarm.css'
import './style/train.css'
import './style/fine-tune.css'
import './style/evidence.css'
import { startApp } from './app.ts'

startApp(document)
