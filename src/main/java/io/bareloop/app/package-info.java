/**
 * The command line and the demonstration application it serves.
 *
 * <p>Knows: options, banner, exit status. Imports: {@code server}, {@code files}, {@code http} and
 * picocli, which users of the library do not need. Called by: {@code java -jar bareloop.jar}.
 */
package io.bareloop.app;
