/**
 * Every entry of the package begins with this file: a Node that is too old is told so, before it meets grammar and
 * modules that it does not know. Nothing in here is newer than Node 6.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 19)) {
  const error = new Error(
    `Cachecord needs Node 22.19 or newer, and this is ${process.versions.node}: install it from https://nodejs.org.`,
  );
  error.stack = String(error); // where it was thrown helps nobody
  throw error;
}
