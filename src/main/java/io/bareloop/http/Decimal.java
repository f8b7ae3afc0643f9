package io.bareloop.http;

/** Whole numbers that clients send: decimal digits, behind a minus sign where they are negative. */
final class Decimal {
    private Decimal() {}

    /**
     * The number that {@code view} is.
     *
     * @throws HttpException with 400, and a message that names the parameter, where it is none, or
     *     does not fit an int
     */
    static int parseInt(ByteView view, String parameter) {
        return (int) parse(view, parameter, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /** As {@link #parseInt}, for a long. */
    static long parseLong(ByteView view, String parameter) {
        return parse(view, parameter, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    private static long parse(ByteView view, String parameter, long least, long most) {
        int length = view.length();
        boolean negative = length > 0 && view.at(0) == '-';
        long limit = negative ? least : -most;
        // Below zero, where there is one number more than above it.
        long number = 0;
        int digits = negative ? 1 : 0;
        boolean valid = digits < length;
        for (int i = digits; valid && i < length; i++) {
            int digit = view.at(i) - '0';
            valid =
                    digit >= 0
                            && digit <= 9
                            && (number > limit / 10
                                    || (number == limit / 10 && digit <= -(limit % 10)));
            number = number * 10 - digit;
        }
        if (!valid) {
            // What was sent instead is not repeated: the answer may be shown to somebody else.
            throw new HttpException(
                    Status.BAD_REQUEST,
                    "the parameter \""
                            + parameter
                            + "\" is no whole number from "
                            + least
                            + " to "
                            + most);
        }
        return negative ? number : -number;
    }
}
