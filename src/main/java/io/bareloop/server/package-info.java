/**
 * The API for embedding: {@link io.bareloop.server.HttpServer} and its configuration.
 *
 * <p>Start at {@link io.bareloop.server.HttpServer#builder}. {@link io.bareloop.server.CpuSet} says
 * where the loops run, {@link io.bareloop.server.LoopStats} what they have done, {@link
 * io.bareloop.server.NativeMemory} what they may take. {@link io.bareloop.server.AccessLog} has a
 * line for each request.
 *
 * <p>Knows: how listeners, loops and threads become one server, and how it ends. Imports: {@code
 * loop}, {@code net}, {@code sys} for the calls it hands to them, {@code http1}, {@code exchange}
 * for what an application gives, {@code http} and {@code wire}. Called by: users, {@code testkit}
 * and {@code app}.
 */
package io.bareloop.server;
