package io.bareloop.server;

/** Whether an optional kernel feature is wanted. */
public enum Setting {
    /** Use it; where the kernel refuses, log why and go on without. */
    AUTO,
    /** Use it; where the kernel refuses, do not start. */
    ON,
    /** Do not use it. */
    OFF
}
