/**
 * The system calls, and the numbers and structs they speak in.
 *
 * <p>Knows: {@link java.lang.foreign.MemorySegment}s, ints and errno values. Imports: the generated
 * bindings and the JDK. Called by: {@code net}, {@code loop}, {@code files} and {@code server}.
 * Method handles and generated classes stop here; what travels up is a result of zero or more, or a
 * negated errno.
 */
package io.bareloop.sys;
