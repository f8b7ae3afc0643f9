/**
 * Files of a directory, as a handler: {@link io.bareloop.files.StaticFiles}.
 *
 * <p>Start at {@link io.bareloop.files.StaticFiles#of}.
 *
 * <p>Knows: paths below a root, versions of files and their copies in memory, which of them a
 * request wants (RFC 9110, sections 8, 12, 13 and 14), the pages of directories and errors, and
 * threads that wait for the disk so that no loop has to. Imports: {@code http}, {@code sys} and
 * {@code wire}. Called by: users and {@code app}; the loop sees no more of it than {@link
 * io.bareloop.wire.FileSource}.
 */
package io.bareloop.files;
