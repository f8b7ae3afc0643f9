package io.bareloop.http;

/** Is told of what user code has thrown, and is no answer: a defect, as a rule. */
@FunctionalInterface
public interface FailureListener {
    /**
     * {@code failure} was thrown; where it could be, its request was answered 500 already or is
     * answered next. Called on the loop: it must not block. What it throws itself is ignored.
     *
     * @param request that was being answered, valid until this returns; null where the failure came
     *     when the response had ended, or belongs to none
     * @param failure of a handler, a filter, or an action that was set on a response; never an
     *     {@link HttpException}
     */
    void failed(Request request, Throwable failure);
}
