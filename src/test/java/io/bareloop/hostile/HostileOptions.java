package io.bareloop.hostile;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a run is told: numbers by name, and the names of what is left out. Does not change. */
final class HostileOptions {
    static final String HELP =
            """
            HostileRun [option]...
              --seed N            decides every connection's script; without it, the time does
              --seconds N         of all rounds together (30)
              --rounds N          JVMs, one after another (4): with checks and little memory,
                                  without checks and with more, without and little, with and more
              --first-round N     begins with this one (0)
              --loops N           of the server (2)
              --clients N         threads, one connection each at a time (80)
              --pending-mib N     bound of what is pending on a loop (64, or 6 on every other loop
                                  where there is little memory)
              --faults 0          the system calls do not fail (1)
              --without NAME,...  leaves these kinds, places, troubles and faults out
              --only NAME,...     leaves the others of the same sort out
              --with NAME,...     takes in what is left out otherwise: HOARD
              --names             lists them
            With -Dbareloop.hostile.trace=true it says from where a connection was closed.
            """;

    private static final String SEED = "--seed";
    private static final String SECONDS = "--seconds";
    private static final String ROUNDS = "--rounds";
    private static final String FIRST_ROUND = "--first-round";
    private static final String LOOPS = "--loops";
    private static final String CLIENTS = "--clients";
    private static final String PENDING_MIB = "--pending-mib";
    private static final String FAULTS = "--faults";

    private static final Map<String, Long> DEFAULTS =
            Map.of(
                    SECONDS,
                    30L,
                    ROUNDS,
                    4L,
                    FIRST_ROUND,
                    0L,
                    LOOPS,
                    2L,
                    CLIENTS,
                    80L,
                    PENDING_MIB,
                    0L,
                    FAULTS,
                    1L);

    private final Map<String, Long> numbers;
    private final Set<String> without;

    private HostileOptions(Map<String, Long> numbers, Set<String> without) {
        this.numbers = numbers;
        this.without = without;
    }

    /** With a seed that the time decides. */
    static HostileOptions defaults() {
        return new HostileOptions(DEFAULTS, Set.of(HandlerKind.HOARD.name()))
                .with(SEED, System.nanoTime() & 0xFFFF_FFFFL);
    }

    /** Parses the command line; what is no option is an IllegalArgumentException. */
    static HostileOptions parse(String... arguments) {
        HostileOptions options = defaults();
        Iterator<String> left = Arrays.asList(arguments).iterator();
        while (left.hasNext()) {
            String name = left.next();
            if (!left.hasNext()) {
                throw new IllegalArgumentException(name + " needs a value\n" + HELP);
            }
            String value = left.next();
            Set<String> names = new TreeSet<>(options.without);
            switch (name) {
                case "--without" -> names.addAll(names(value));
                case "--only" -> names.addAll(othersOf(names(value)));
                case "--with" -> names.removeAll(names(value));
                default -> options = options.with(name, Long.parseLong(value));
            }
            options = new HostileOptions(options.numbers, names);
        }
        return options;
    }

    private HostileOptions with(String name, long value) {
        if (!name.equals(SEED) && !DEFAULTS.containsKey(name)) {
            throw new IllegalArgumentException(name + " is no option\n" + HELP);
        }
        Map<String, Long> changed = new TreeMap<>(numbers);
        changed.put(name, value);
        return new HostileOptions(changed, without);
    }

    HostileOptions seed(long seed) {
        return with(SEED, seed);
    }

    HostileOptions seconds(int seconds) {
        return with(SECONDS, seconds);
    }

    HostileOptions rounds(int rounds, int first) {
        return with(ROUNDS, rounds).with(FIRST_ROUND, first);
    }

    private int number(String name) {
        return Math.toIntExact(numbers.get(name));
    }

    long seed() {
        return numbers.get(SEED);
    }

    int seconds() {
        return number(SECONDS);
    }

    int rounds() {
        return number(ROUNDS);
    }

    int firstRound() {
        return number(FIRST_ROUND);
    }

    int loops() {
        return number(LOOPS);
    }

    int clients() {
        return number(CLIENTS);
    }

    /** 0 for the usual ones. */
    int pendingMiB() {
        return number(PENDING_MIB);
    }

    boolean faults() {
        return number(FAULTS) != 0;
    }

    /** Names of kinds, places, troubles and faults that are left out. */
    Set<String> without() {
        return without;
    }

    /** The names of each sort. */
    static List<List<String>> sorts() {
        return Stream.<Enum<?>[]>of(
                        ClientKind.values(),
                        HandlerKind.values(),
                        Place.values(),
                        Trouble.values(),
                        ChaosSyscalls.Fault.values())
                .map(sort -> Stream.of(sort).map(Enum::name).toList())
                .toList();
    }

    private static Set<String> names(String value) {
        Set<String> given = new TreeSet<>();
        for (String name : value.toUpperCase(Locale.ROOT).split(",", -1)) {
            if (sorts().stream().noneMatch(sort -> sort.contains(name))) {
                throw new IllegalArgumentException(name + " is none of " + sorts());
            }
            given.add(name);
        }
        return given;
    }

    private static Set<String> othersOf(Set<String> given) {
        return sorts().stream()
                .filter(sort -> sort.stream().anyMatch(given::contains))
                .flatMap(List::stream)
                .filter(name -> !given.contains(name))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The options that say the same. */
    @Override
    public String toString() {
        String text =
                numbers.entrySet().stream()
                        .map(number -> number.getKey() + " " + number.getValue())
                        .collect(Collectors.joining(" "));
        String out = String.join(",", new TreeSet<>(without));
        return text + (out.isEmpty() ? "" : " --without " + out);
    }
}
