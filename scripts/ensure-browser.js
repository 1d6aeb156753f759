/**
 * The end-to-end tests drive a real Chromium. This finds one, or installs Debian's where that is possible,
 * or says what to do. Plain JavaScript, so that it runs on whatever Node is there.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The path of a Chromium or Chrome, if there is one. */
export function findBrowser() {
  return PLACES.find((place) => place !== undefined && existsSync(place));
}

function installFromDebian() {
  const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) return;
  console.log('Installing Chromium for the end-to-end tests …');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    execFileSync(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-noto-color-emoji'],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env,
      },
    );
  } catch (error) {
    console.error(`Chromium could not be installed: ${error.message}`);
  }
}

if (process.argv[1] === import.meta.filename) {
  if (findBrowser() === undefined) installFromDebian();
  if (findBrowser() === undefined) {
    console.error(
      'The end-to-end tests need Chromium or Chrome: install one, or set CHROMIUM_PATH to where it is, and run again.',
    );
    process.exit(1);
  }
}
