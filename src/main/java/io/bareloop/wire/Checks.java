package io.bareloop.wire;

/**
 * Checked mode, {@code -Dbareloop.checks=true}: every request gets objects of its own, so that a
 * request, response or view that is used after its time throws IllegalStateException. Costs
 * allocations; for tests and development.
 */
public final class Checks {
    public static final boolean ENABLED = Boolean.getBoolean("bareloop.checks");

    private Checks() {}
}
