package io.bareloop.files;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

/** What is looked for at the start: whether the root has what its settings need. */
final class RootCheck {
    private RootCheck() {}

    /**
     * Opens the root, and looks for what requests would miss.
     *
     * @throws IllegalArgumentException where there is none, or a file that was named cannot be had
     */
    static Root open(Settings settings, Reader reader, FaultLog log) {
        Root opened = new Root(settings.root(), settings.outsideLinks(), reader);
        String wrong = wrong(settings, opened, reader);
        if (wrong != null) {
            opened.close(reader);
            throw new IllegalArgumentException(wrong);
        }
        if (settings.mount().isEmpty() && !settings.listing() && settings.fallback() == null) {
            String fault = opened.fault(reader, settings.index(), false);
            if (fault != null) {
                log.say(
                        "\"/\" is answered 404: "
                                + text(settings.index())
                                + " in "
                                + settings.root()
                                + ": "
                                + fault
                                + ", and directories are not listed");
            }
        }
        return opened;
    }

    /** What is to be said against the configuration; null for nothing. */
    private static String wrong(Settings settings, Root opened, Reader reader) {
        if (settings.listing()) {
            String fault = opened.fault(reader, "", true);
            if (fault != null) {
                return "cannot list "
                        + settings.root()
                        + ": "
                        + fault
                        + "; it has to be readable (chmod +r)";
            }
        }
        if (settings.fallback() != null) {
            String fault = opened.fault(reader, settings.fallback().substring(1), false);
            if (fault != null) {
                return "the fallback "
                        + text(settings.fallback())
                        + " cannot be served from "
                        + settings.root()
                        + ": "
                        + fault;
            }
        }
        return null;
    }

    private static String text(String bytes) {
        return new String(bytes.getBytes(ISO_8859_1), UTF_8);
    }
}
