export { version } from '../config/version.js';
