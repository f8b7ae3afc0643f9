package io.bareloop.app;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The command line as picocli sees it: help, and what is wrong with what was typed. Built by calls,
 * not annotations: no reflection. Nothing else names picocli's classes, so that a start that needs
 * neither loads none of them; no AOT cache holds them, for they are of Java 5.
 */
final class CommandLineSpec {
    private CommandLineSpec() {}

    /**
     * The values given, by option; null where all that was asked for has been printed to {@code
     * out}.
     *
     * @throws IllegalArgumentException where the command line is wrong, saying what
     */
    static Map<String, String> parse(String[] arguments, PrintStream out) {
        CommandLine commandLine = new CommandLine(spec());
        ParseResult parsed;
        try {
            parsed = commandLine.parseArgs(arguments);
        } catch (CommandLine.ParameterException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        if (parsed.isUsageHelpRequested()) {
            commandLine.usage(out);
            return null;
        }
        if (parsed.isVersionHelpRequested()) {
            out.println(Banner.versionLine());
            return null;
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (ServeOption option : ServeOptions.all()) {
            Object value = parsed.matchedOptionValue(option.name(), null);
            if (value instanceof List<?> several) {
                values.put(
                        option.name(),
                        several.stream().map(String::valueOf).collect(Collectors.joining("\n")));
            } else if (value != null) {
                values.put(option.name(), value.toString());
            }
        }
        return values;
    }

    private static CommandSpec spec() {
        CommandSpec spec = CommandSpec.create().name("java -jar bareloop.jar [serve]");
        ServeOptions.all().forEach(option -> add(spec, option));
        spec.addOption(
                OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Print this and exit.")
                        .build());
        spec.addOption(
                OptionSpec.builder("-V", "--version")
                        .versionHelp(true)
                        .description("Print the version and exit.")
                        .build());
        spec.usageMessage()
                .customSynopsis(
                        "java -jar bareloop.jar [serve] [OPTIONS]",
                        "   or: java [JVM OPTIONS] -jar bareloop.jar aot [FILE]")
                .description(
                        "%nServes the files of a directory over HTTP/1.1, on one pinned thread per"
                                + " CPU; or, without --root, the demonstration application: GET"
                                + " /plaintext, /json, /sse, /pipeline, /baseline11; POST /echo,"
                                + " /baseline11.%n")
                .footer(
                        "",
                        "aot writes an AOT cache (JDK 25; before, a CDS"
                                + " archive) to FILE, by default"
                                + " beside the jar, from a run of the server with the same JVM"
                                + " options, and says how to start with it.",
                        "",
                        "SIGTERM, SIGINT (Ctrl-C) and SIGHUP drain; a second SIGTERM or SIGINT,"
                                + " half a second or more later, ends at once.",
                        "Exit status: 0 drained in time; 1 could not start, failed, or work was"
                                + " cut off; 2 wrong options.")
                .sortOptions(false)
                .width(100);
        return spec;
    }

    private static void add(CommandSpec spec, ServeOption from) {
        OptionSpec.Builder option = OptionSpec.builder(from.name()).type(from.kind().type());
        switch (from.kind()) {
            case FLAG -> option.arity("0");
            case TEXTS -> option.paramLabel(from.label()).auxiliaryTypes(String.class).arity("1");
            default -> option.paramLabel(from.label());
        }
        if (from.defaultValue() == null) {
            option.description(from.description());
        } else {
            option.defaultValue(from.defaultValue())
                    .description(from.description() + " Default: ${DEFAULT-VALUE}.");
        }
        spec.addOption(option.build());
    }
}
