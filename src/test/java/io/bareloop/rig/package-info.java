/**
 * What the tests of all packages share: a client, servers that a test can see into, faults, and
 * what a test asks the system about its own process.
 */
package io.bareloop.rig;
