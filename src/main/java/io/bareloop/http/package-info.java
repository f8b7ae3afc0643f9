/**
 * What a handler sees: requests, responses, and ways to route and to answer.
 *
 * <p>Start at {@link io.bareloop.http.Handler}: it answers a {@link io.bareloop.http.Request} by a
 * {@link io.bareloop.http.Response}.
 *
 * <ul>
 *   <li>{@link io.bareloop.http.Router} chooses a handler by method and path; {@link
 *       io.bareloop.http.Filter} sees requests before that.
 *   <li>{@link io.bareloop.http.HttpException} answers with an error, from wherever it is thrown.
 *   <li>{@link io.bareloop.http.Prepared} is a response that is always the same; {@link
 *       io.bareloop.http.Fields} are fields that are.
 *   <li>{@link io.bareloop.http.Blocking} and {@link io.bareloop.http.Reply} are for work that
 *       waits; {@link io.bareloop.http.Suspended} is the way back to a response from any thread.
 *   <li>{@link io.bareloop.http.StreamHandler} takes a body in pieces; {@link
 *       io.bareloop.http.EventStream} sends events; {@link io.bareloop.http.FormReader} reads
 *       queries and forms.
 *   <li>{@link io.bareloop.http.MultipartHandler} takes forms with files; {@link
 *       io.bareloop.http.MultipartStream} reads them where code may wait.
 *   <li>{@link io.bareloop.http.Limits} and {@link io.bareloop.http.Timeouts} bound what clients
 *       can ask for.
 * </ul>
 *
 * <p>Knows: what a handler sees, as views and values. Imports: {@code wire}, of whose data these
 * are views. Called by: {@code exchange}, which calls handlers, {@code http1}, {@code files},
 * {@code server}, {@code app}, and the handlers of users.
 */
package io.bareloop.http;
