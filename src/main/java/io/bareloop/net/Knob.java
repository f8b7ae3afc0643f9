package io.bareloop.net;

/**
 * An optional kernel feature, and whether it is wanted.
 *
 * @param mode what is to happen where the kernel refuses
 * @param value the value to set, in the feature's own unit; meaningless where off
 */
public record Knob(Mode mode, int value) {
    /** What the user asked for. */
    public enum Mode {
        /** Set it; where the kernel refuses, go on without and say why. */
        AUTO,
        /** Set it; where the kernel refuses, do not start. */
        ON,
        /** Leave it alone. */
        OFF
    }

    public static final Knob OFF = new Knob(Mode.OFF, 0);

    public static Knob auto(int value) {
        return new Knob(Mode.AUTO, value);
    }

    public static Knob on(int value) {
        return new Knob(Mode.ON, value);
    }

    public boolean wanted() {
        return mode != Mode.OFF;
    }
}
